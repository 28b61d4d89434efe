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
static const unsigned char styles_check_in_css[] = {
#embed "page/styles/check-in.css"
};
static const unsigned char styles_classroom_css[] = {
#embed "page/styles/classroom.css"
};
static const unsigned char styles_entrance_css[] = {
#embed "page/styles/entrance.css"
};
static const unsigned char styles_home_css[] = {
#embed "page/styles/home.css"
};
static const unsigned char styles_menus_css[] = {
#embed "page/styles/menus.css"
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
static const unsigned char sdk_chat_js[] = {
#embed "page/sdk/chat.js"
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
static const unsigned char sdk_moderation_js[] = {
#embed "page/sdk/moderation.js"
};
static const unsigned char sdk_presence_js[] = {
#embed "page/sdk/presence.js"
};
static const unsigned char sdk_protocol_js[] = {
#embed "page/sdk/protocol.js"
};
static const unsigned char sdk_rules_js[] = {
#embed "page/sdk/rules.js"
};
static const unsigned char sdk_session_list_js[] = {
#embed "page/sdk/session-list.js"
};
static const unsigned char app_ask_view_js[] = {
#embed "page/app/ask-view.js"
};
static const unsigned char app_attendance_section_js[] = {
#embed "page/app/attendance-section.js"
};
static const unsigned char app_attendance_table_js[] = {
#embed "page/app/attendance-table.js"
};
static const unsigned char app_avatar_js[] = {
#embed "page/app/avatar.js"
};
static const unsigned char app_chat_message_js[] = {
#embed "page/app/chat-message.js"
};
static const unsigned char app_chat_panel_js[] = {
#embed "page/app/chat-panel.js"
};
static const unsigned char app_chat_thread_js[] = {
#embed "page/app/chat-thread.js"
};
static const unsigned char app_check_in_board_js[] = {
#embed "page/app/check-in-board.js"
};
static const unsigned char app_check_in_card_js[] = {
#embed "page/app/check-in-card.js"
};
static const unsigned char app_class_notices_js[] = {
#embed "page/app/class-notices.js"
};
static const unsigned char app_class_view_js[] = {
#embed "page/app/class-view.js"
};
static const unsigned char app_code_display_js[] = {
#embed "page/app/code-display.js"
};
static const unsigned char app_composer_js[] = {
#embed "page/app/composer.js"
};
static const unsigned char app_confirm_dialog_js[] = {
#embed "page/app/confirm-dialog.js"
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
static const unsigned char app_emoji_picker_js[] = {
#embed "page/app/emoji-picker.js"
};
static const unsigned char app_ended_view_js[] = {
#embed "page/app/ended-view.js"
};
static const unsigned char app_hand_button_js[] = {
#embed "page/app/hand-button.js"
};
static const unsigned char app_home_view_js[] = {
#embed "page/app/home-view.js"
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
static const unsigned char app_manage_panel_js[] = {
#embed "page/app/manage-panel.js"
};
static const unsigned char app_menu_js[] = {
#embed "page/app/menu.js"
};
static const unsigned char app_message_view_js[] = {
#embed "page/app/message-view.js"
};
static const unsigned char app_notices_js[] = {
#embed "page/app/notices.js"
};
static const unsigned char app_notifications_panel_js[] = {
#embed "page/app/notifications-panel.js"
};
static const unsigned char app_people_panel_js[] = {
#embed "page/app/people-panel.js"
};
static const unsigned char app_person_menu_js[] = {
#embed "page/app/person-menu.js"
};
static const unsigned char app_person_row_js[] = {
#embed "page/app/person-row.js"
};
static const unsigned char app_pinned_messages_js[] = {
#embed "page/app/pinned-messages.js"
};
static const unsigned char app_preview_js[] = {
#embed "page/app/preview.js"
};
static const unsigned char app_requests_list_js[] = {
#embed "page/app/requests-list.js"
};
static const unsigned char app_room_js[] = {
#embed "page/app/room.js"
};
static const unsigned char app_sentences_js[] = {
#embed "page/app/sentences.js"
};
static const unsigned char app_session_details_js[] = {
#embed "page/app/session-details.js"
};
static const unsigned char app_session_row_js[] = {
#embed "page/app/session-row.js"
};
static const unsigned char app_stage_js[] = {
#embed "page/app/stage.js"
};
static const unsigned char app_tile_js[] = {
#embed "page/app/tile.js"
};
static const unsigned char app_waiting_list_js[] = {
#embed "page/app/waiting-list.js"
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
    {"/styles/check-in.css", CSS, styles_check_in_css, sizeof styles_check_in_css},
    {"/styles/classroom.css", CSS, styles_classroom_css, sizeof styles_classroom_css},
    {"/styles/entrance.css", CSS, styles_entrance_css, sizeof styles_entrance_css},
    {"/styles/home.css", CSS, styles_home_css, sizeof styles_home_css},
    {"/styles/menus.css", CSS, styles_menus_css, sizeof styles_menus_css},
    {"/styles/panels.css", CSS, styles_panels_css, sizeof styles_panels_css},
    {"/sdk/backoff.js", SCRIPT, sdk_backoff_js, sizeof sdk_backoff_js},
    {"/sdk/call.js", SCRIPT, sdk_call_js, sizeof sdk_call_js},
    {"/sdk/chat-log.js", SCRIPT, sdk_chat_log_js, sizeof sdk_chat_log_js},
    {"/sdk/chat.js", SCRIPT, sdk_chat_js, sizeof sdk_chat_js},
    {"/sdk/client.js", SCRIPT, sdk_client_js, sizeof sdk_client_js},
    {"/sdk/connection.js", SCRIPT, sdk_connection_js, sizeof sdk_connection_js},
    {"/sdk/events.js", SCRIPT, sdk_events_js, sizeof sdk_events_js},
    {"/sdk/index.js", SCRIPT, sdk_index_js, sizeof sdk_index_js},
    {"/sdk/mesh.js", SCRIPT, sdk_mesh_js, sizeof sdk_mesh_js},
    {"/sdk/moderation.js", SCRIPT, sdk_moderation_js, sizeof sdk_moderation_js},
    {"/sdk/presence.js", SCRIPT, sdk_presence_js, sizeof sdk_presence_js},
    {"/sdk/protocol.js", SCRIPT, sdk_protocol_js, sizeof sdk_protocol_js},
    {"/sdk/rules.js", SCRIPT, sdk_rules_js, sizeof sdk_rules_js},
    {"/sdk/session-list.js", SCRIPT, sdk_session_list_js, sizeof sdk_session_list_js},
    {"/app/ask-view.js", SCRIPT, app_ask_view_js, sizeof app_ask_view_js},
    {"/app/attendance-section.js", SCRIPT, app_attendance_section_js, sizeof app_attendance_section_js},
    {"/app/attendance-table.js", SCRIPT, app_attendance_table_js, sizeof app_attendance_table_js},
    {"/app/avatar.js", SCRIPT, app_avatar_js, sizeof app_avatar_js},
    {"/app/chat-message.js", SCRIPT, app_chat_message_js, sizeof app_chat_message_js},
    {"/app/chat-panel.js", SCRIPT, app_chat_panel_js, sizeof app_chat_panel_js},
    {"/app/chat-thread.js", SCRIPT, app_chat_thread_js, sizeof app_chat_thread_js},
    {"/app/check-in-board.js", SCRIPT, app_check_in_board_js, sizeof app_check_in_board_js},
    {"/app/check-in-card.js", SCRIPT, app_check_in_card_js, sizeof app_check_in_card_js},
    {"/app/class-notices.js", SCRIPT, app_class_notices_js, sizeof app_class_notices_js},
    {"/app/class-view.js", SCRIPT, app_class_view_js, sizeof app_class_view_js},
    {"/app/code-display.js", SCRIPT, app_code_display_js, sizeof app_code_display_js},
    {"/app/composer.js", SCRIPT, app_composer_js, sizeof app_composer_js},
    {"/app/confirm-dialog.js", SCRIPT, app_confirm_dialog_js, sizeof app_confirm_dialog_js},
    {"/app/connection-banner.js", SCRIPT, app_connection_banner_js, sizeof app_connection_banner_js},
    {"/app/device-buttons.js", SCRIPT, app_device_buttons_js, sizeof app_device_buttons_js},
    {"/app/dom.js", SCRIPT, app_dom_js, sizeof app_dom_js},
    {"/app/emoji-picker.js", SCRIPT, app_emoji_picker_js, sizeof app_emoji_picker_js},
    {"/app/ended-view.js", SCRIPT, app_ended_view_js, sizeof app_ended_view_js},
    {"/app/hand-button.js", SCRIPT, app_hand_button_js, sizeof app_hand_button_js},
    {"/app/home-view.js", SCRIPT, app_home_view_js, sizeof app_home_view_js},
    {"/app/icons.js", SCRIPT, app_icons_js, sizeof app_icons_js},
    {"/app/leave-dialog.js", SCRIPT, app_leave_dialog_js, sizeof app_leave_dialog_js},
    {"/app/link.js", SCRIPT, app_link_js, sizeof app_link_js},
    {"/app/lobby-view.js", SCRIPT, app_lobby_view_js, sizeof app_lobby_view_js},
    {"/app/local-media.js", SCRIPT, app_local_media_js, sizeof app_local_media_js},
    {"/app/main.js", SCRIPT, app_main_js, sizeof app_main_js},
    {"/app/manage-panel.js", SCRIPT, app_manage_panel_js, sizeof app_manage_panel_js},
    {"/app/menu.js", SCRIPT, app_menu_js, sizeof app_menu_js},
    {"/app/message-view.js", SCRIPT, app_message_view_js, sizeof app_message_view_js},
    {"/app/notices.js", SCRIPT, app_notices_js, sizeof app_notices_js},
    {"/app/notifications-panel.js", SCRIPT, app_notifications_panel_js, sizeof app_notifications_panel_js},
    {"/app/people-panel.js", SCRIPT, app_people_panel_js, sizeof app_people_panel_js},
    {"/app/person-menu.js", SCRIPT, app_person_menu_js, sizeof app_person_menu_js},
    {"/app/person-row.js", SCRIPT, app_person_row_js, sizeof app_person_row_js},
    {"/app/pinned-messages.js", SCRIPT, app_pinned_messages_js, sizeof app_pinned_messages_js},
    {"/app/preview.js", SCRIPT, app_preview_js, sizeof app_preview_js},
    {"/app/requests-list.js", SCRIPT, app_requests_list_js, sizeof app_requests_list_js},
    {"/app/room.js", SCRIPT, app_room_js, sizeof app_room_js},
    {"/app/sentences.js", SCRIPT, app_sentences_js, sizeof app_sentences_js},
    {"/app/session-details.js", SCRIPT, app_session_details_js, sizeof app_session_details_js},
    {"/app/session-row.js", SCRIPT, app_session_row_js, sizeof app_session_row_js},
    {"/app/stage.js", SCRIPT, app_stage_js, sizeof app_stage_js},
    {"/app/tile.js", SCRIPT, app_tile_js, sizeof app_tile_js},
    {"/app/waiting-list.js", SCRIPT, app_waiting_list_js, sizeof app_waiting_list_js},
    {"/app/waiting-view.js", SCRIPT, app_waiting_view_js, sizeof app_waiting_view_js},
};

size_t web_asset_count(void) { return sizeof assets / sizeof *assets; }
const web_asset *web_asset_at(size_t index) { return &assets[index]; }
