#include "WebClassroom.h"
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char index_html[] = {
#embed "page/index.html"
};
static const unsigned char icon_svg[] = {
#embed "page/icon.svg"
};
static const unsigned char styles_base_css[] = {
#embed "page/styles/base.css"
};
static const unsigned char styles_classroom_css[] = {
#embed "page/styles/classroom.css"
};
static const unsigned char styles_entrance_css[] = {
#embed "page/styles/entrance.css"
};
static const unsigned char styles_panels_css[] = {
#embed "page/styles/panels.css"
};
static const unsigned char sdk_backoff_js[] = {
#embed "page/sdk/backoff.js"
};
static const unsigned char sdk_call_js[] = {
#embed "page/sdk/call.js"
};
static const unsigned char sdk_chat_log_js[] = {
#embed "page/sdk/chat-log.js"
};
static const unsigned char sdk_client_js[] = {
#embed "page/sdk/client.js"
};
static const unsigned char sdk_connection_js[] = {
#embed "page/sdk/connection.js"
};
static const unsigned char sdk_events_js[] = {
#embed "page/sdk/events.js"
};
static const unsigned char sdk_index_js[] = {
#embed "page/sdk/index.js"
};
static const unsigned char sdk_mesh_js[] = {
#embed "page/sdk/mesh.js"
};
static const unsigned char sdk_presence_js[] = {
#embed "page/sdk/presence.js"
};
static const unsigned char sdk_protocol_js[] = {
#embed "page/sdk/protocol.js"
};
static const unsigned char app_avatar_js[] = {
#embed "page/app/avatar.js"
};
static const unsigned char app_chat_panel_js[] = {
#embed "page/app/chat-panel.js"
};
static const unsigned char app_class_view_js[] = {
#embed "page/app/class-view.js"
};
static const unsigned char app_connection_banner_js[] = {
#embed "page/app/connection-banner.js"
};
static const unsigned char app_device_buttons_js[] = {
#embed "page/app/device-buttons.js"
};
static const unsigned char app_dom_js[] = {
#embed "page/app/dom.js"
};
static const unsigned char app_ended_view_js[] = {
#embed "page/app/ended-view.js"
};
static const unsigned char app_icons_js[] = {
#embed "page/app/icons.js"
};
static const unsigned char app_leave_dialog_js[] = {
#embed "page/app/leave-dialog.js"
};
static const unsigned char app_link_js[] = {
#embed "page/app/link.js"
};
static const unsigned char app_lobby_view_js[] = {
#embed "page/app/lobby-view.js"
};
static const unsigned char app_local_media_js[] = {
#embed "page/app/local-media.js"
};
static const unsigned char app_main_js[] = {
#embed "page/app/main.js"
};
static const unsigned char app_message_view_js[] = {
#embed "page/app/message-view.js"
};
static const unsigned char app_people_panel_js[] = {
#embed "page/app/people-panel.js"
};
static const unsigned char app_preview_js[] = {
#embed "page/app/preview.js"
};
static const unsigned char app_room_js[] = {
#embed "page/app/room.js"
};
static const unsigned char app_sentences_js[] = {
#embed "page/app/sentences.js"
};
static const unsigned char app_stage_js[] = {
#embed "page/app/stage.js"
};
static const unsigned char app_tile_js[] = {
#embed "page/app/tile.js"
};
static const unsigned char app_waiting_view_js[] = {
#embed "page/app/waiting-view.js"
};

#define HTML "text/html; charset=utf-8"
#define SVG "image/svg+xml"
#define CSS "text/css; charset=utf-8"
#define SCRIPT "text/javascript; charset=utf-8"

static const web_asset assets[] = {
    {"/", HTML, index_html, sizeof index_html},
    {"/icon.svg", SVG, icon_svg, sizeof icon_svg},
    {"/styles/base.css", CSS, styles_base_css, sizeof styles_base_css},
    {"/styles/classroom.css", CSS, styles_classroom_css, sizeof styles_classroom_css},
    {"/styles/entrance.css", CSS, styles_entrance_css, sizeof styles_entrance_css},
    {"/styles/panels.css", CSS, styles_panels_css, sizeof styles_panels_css},
    {"/sdk/backoff.js", SCRIPT, sdk_backoff_js, sizeof sdk_backoff_js},
    {"/sdk/call.js", SCRIPT, sdk_call_js, sizeof sdk_call_js},
    {"/sdk/chat-log.js", SCRIPT, sdk_chat_log_js, sizeof sdk_chat_log_js},
    {"/sdk/client.js", SCRIPT, sdk_client_js, sizeof sdk_client_js},
    {"/sdk/connection.js", SCRIPT, sdk_connection_js, sizeof sdk_connection_js},
    {"/sdk/events.js", SCRIPT, sdk_events_js, sizeof sdk_events_js},
    {"/sdk/index.js", SCRIPT, sdk_index_js, sizeof sdk_index_js},
    {"/sdk/mesh.js", SCRIPT, sdk_mesh_js, sizeof sdk_mesh_js},
    {"/sdk/presence.js", SCRIPT, sdk_presence_js, sizeof sdk_presence_js},
    {"/sdk/protocol.js", SCRIPT, sdk_protocol_js, sizeof sdk_protocol_js},
    {"/app/avatar.js", SCRIPT, app_avatar_js, sizeof app_avatar_js},
    {"/app/chat-panel.js", SCRIPT, app_chat_panel_js, sizeof app_chat_panel_js},
    {"/app/class-view.js", SCRIPT, app_class_view_js, sizeof app_class_view_js},
    {"/app/connection-banner.js", SCRIPT, app_connection_banner_js, sizeof app_connection_banner_js},
    {"/app/device-buttons.js", SCRIPT, app_device_buttons_js, sizeof app_device_buttons_js},
    {"/app/dom.js", SCRIPT, app_dom_js, sizeof app_dom_js},
    {"/app/ended-view.js", SCRIPT, app_ended_view_js, sizeof app_ended_view_js},
    {"/app/icons.js", SCRIPT, app_icons_js, sizeof app_icons_js},
    {"/app/leave-dialog.js", SCRIPT, app_leave_dialog_js, sizeof app_leave_dialog_js},
    {"/app/link.js", SCRIPT, app_link_js, sizeof app_link_js},
    {"/app/lobby-view.js", SCRIPT, app_lobby_view_js, sizeof app_lobby_view_js},
    {"/app/local-media.js", SCRIPT, app_local_media_js, sizeof app_local_media_js},
    {"/app/main.js", SCRIPT, app_main_js, sizeof app_main_js},
    {"/app/message-view.js", SCRIPT, app_message_view_js, sizeof app_message_view_js},
    {"/app/people-panel.js", SCRIPT, app_people_panel_js, sizeof app_people_panel_js},
    {"/app/preview.js", SCRIPT, app_preview_js, sizeof app_preview_js},
    {"/app/room.js", SCRIPT, app_room_js, sizeof app_room_js},
    {"/app/sentences.js", SCRIPT, app_sentences_js, sizeof app_sentences_js},
    {"/app/stage.js", SCRIPT, app_stage_js, sizeof app_stage_js},
    {"/app/tile.js", SCRIPT, app_tile_js, sizeof app_tile_js},
    {"/app/waiting-view.js", SCRIPT, app_waiting_view_js, sizeof app_waiting_view_js},
};

size_t web_asset_count(void) { return sizeof assets / sizeof *assets; }
const web_asset *web_asset_at(size_t index) { return &assets[index]; }
