#pragma once
#include <curl/curl.h>

// What libcurl has only with variable arguments or as macros, which Swift does not import.

static inline CURLcode ccurl_begin(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

static inline CURLcode ccurl_set_number(CURL *handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}

/// libcurl copies the text.
static inline CURLcode ccurl_set_text(CURL *handle, CURLoption option, const char *value) {
  return curl_easy_setopt(handle, option, value);
}

/// What takes the body in pieces: it returns how many bytes it has taken, and any other number ends the transfer.
static inline CURLcode ccurl_set_receiver(
    CURL *handle, size_t (*receive)(char *bytes, size_t size, size_t count, void *context), void *context) {
  CURLcode result = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, receive);
  return result != CURLE_OK ? result : curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
}

/// What is asked now and then whether to go on: anything but 0 ends the transfer.
static inline CURLcode ccurl_set_watch(
    CURL *handle, int (*watch)(void *context, curl_off_t, curl_off_t, curl_off_t, curl_off_t), void *context) {
  CURLcode result = curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  if (result == CURLE_OK) result = curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, watch);
  return result != CURLE_OK ? result : curl_easy_setopt(handle, CURLOPT_XFERINFODATA, context);
}

static inline long ccurl_status(CURL *handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return status;
}
