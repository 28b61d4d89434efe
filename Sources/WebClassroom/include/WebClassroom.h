#pragma once
#include <stddef.h>

/// One file of the page, inside the binary.
typedef struct {
  const char *_Nonnull path;   // as in the URL, "/app.js"
  const char *_Nonnull type;   // its media type
  const unsigned char *_Nonnull bytes;
  size_t count;
} web_asset;

/// How many files there are.
size_t web_asset_count(void);
/// The file at `index`, which must be below `web_asset_count()`.
const web_asset *_Nonnull web_asset_at(size_t index);
