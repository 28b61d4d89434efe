#include "WebClassroom.h"
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char index_html[] = {
#embed "page/index.html"
};

static const web_asset assets[] = {
    {"/", "text/html; charset=utf-8", index_html, sizeof index_html},
};

size_t web_asset_count(void) { return sizeof assets / sizeof *assets; }
const web_asset *web_asset_at(size_t index) { return &assets[index]; }
