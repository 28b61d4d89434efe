#pragma once
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// What OpenSSL has only as macros, which Swift does not import.

static inline void copenssl_set_protocols(SSL_CTX *context, int minimum, int maximum) {
  SSL_CTX_set_min_proto_version(context, minimum);
  SSL_CTX_set_max_proto_version(context, maximum);
}

static inline void copenssl_set_mode(SSL_CTX *context, long mode) { SSL_CTX_set_mode(context, mode); }

static inline void copenssl_set_session_cache_mode(SSL_CTX *context, long mode) {
  SSL_CTX_set_session_cache_mode(context, mode);
}

static inline int copenssl_set_groups(SSL_CTX *context, const char *groups) {
  return (int)SSL_CTX_set1_groups_list(context, groups);
}

/// Takes the certificate over on success.
static inline int copenssl_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
  return (int)SSL_CTX_add0_chain_cert(context, certificate);
}

static inline int copenssl_set_server_name(SSL *session, const char *name) {
  return (int)SSL_set_tlsext_host_name(session, name);
}

static inline void copenssl_set_retry_read(BIO *bio) {
  BIO_clear_retry_flags(bio);
  BIO_set_retry_read(bio);
}

static inline int copenssl_error_library(unsigned long code) { return ERR_GET_LIB(code); }
static inline int copenssl_error_reason(unsigned long code) { return ERR_GET_REASON(code); }

static inline uint64_t copenssl_server_options(void) { return SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION; }

/// A key on P-256, or null.
static inline EVP_PKEY *copenssl_generate_p256(void) { return EVP_EC_gen("P-256"); }

/// Adds an extension to a certificate that is its own issuer.
static inline int copenssl_add_extension(X509 *certificate, int nid, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
  if (extension == NULL) return 0;
  int result = X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  return result;
}

/// The alternative names of a certificate, a line each, to be freed; null when it has none.
static inline char *copenssl_alternative_names(X509 *certificate) {
  GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  if (names == NULL) return NULL;
  BIO *text = BIO_new(BIO_s_mem());
  for (int i = 0; text != NULL && i < sk_GENERAL_NAME_num(names); i++) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_DNS) {
      BIO_printf(text, "%.*s\n", ASN1_STRING_length(name->d.dNSName), ASN1_STRING_get0_data(name->d.dNSName));
    } else if (name->type == GEN_IPADD) {
      const unsigned char *bytes = ASN1_STRING_get0_data(name->d.iPAddress);
      int count = ASN1_STRING_length(name->d.iPAddress);
      for (int k = 0; count == 4 && k < 4; k++) BIO_printf(text, k < 3 ? "%d." : "%d\n", bytes[k]);
      for (int k = 0; count == 16 && k < 16; k += 2)
        BIO_printf(text, k < 14 ? "%x:" : "%x\n", bytes[k] << 8 | bytes[k + 1]);
    }
  }
  GENERAL_NAMES_free(names);
  if (text == NULL) return NULL;
  char *start = NULL;
  long count = BIO_get_mem_data(text, &start);
  char *list = malloc((size_t)count + 1);
  if (list != NULL) {
    memcpy(list, start, (size_t)count);
    list[count] = 0;
  }
  BIO_free(text);
  return list;
}

static inline STACK_OF(X509) *copenssl_new_stack(void) { return sk_X509_new_null(); }
static inline void copenssl_push(STACK_OF(X509) *stack, X509 *certificate) { sk_X509_push(stack, certificate); }
static inline void copenssl_free_stack(STACK_OF(X509) *stack) { sk_X509_free(stack); }

/// The contents of a memory BIO, valid until it changes.
static inline long copenssl_memory_contents(BIO *bio, char **start) { return BIO_get_mem_data(bio, start); }

/// Makes a public key of parameters, which are kept by address until this is called; null when they make none.
static inline EVP_PKEY *copenssl_public_key(const char *type, OSSL_PARAM_BLD *builder) {
  EVP_PKEY *key = NULL;
  OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
  if (parameters == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
      EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
    key = NULL;
  }
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  return key;
}

/// An RSA public key of its numbers, or null.
static inline EVP_PKEY *copenssl_rsa_key(const BIGNUM *modulus, const BIGNUM *exponent) {
  EVP_PKEY *key = NULL;
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
  if (builder != NULL && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
      OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1) {
    key = copenssl_public_key("RSA", builder);
  }
  OSSL_PARAM_BLD_free(builder);
  return key;
}

/// A public key on a named curve of its point, encoded as in SEC 1, or null.
static inline EVP_PKEY *copenssl_ec_key(const char *group, const uint8_t *point, size_t count) {
  EVP_PKEY *key = NULL;
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
  if (builder != NULL && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, count) == 1) {
    key = copenssl_public_key("EC", builder);
  }
  OSSL_PARAM_BLD_free(builder);
  return key;
}
