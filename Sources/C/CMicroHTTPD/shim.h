#pragma once
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

// Doors to libmicrohttpd's variadic functions, which Swift does not see.

/// What a daemon is started with; stays where it is until the daemon is stopped.
typedef struct mhd_settings {
    int listener;
    unsigned int connections;
    unsigned int idle_seconds;
    const char *certificate;  // PEM; NULL without TLS
    const char *key;
    const char *password;  // of the key; NULL when it has none
    void *context;  // first argument of the callbacks
    MHD_AccessHandlerCallback on_request;
    MHD_RequestCompletedCallback on_completed;
    void (*on_log)(void *context, const char *text);
} mhd_settings;

/// The escapes stay: whoever splits the path must see the difference between `/` and `%2F`.
static inline size_t mhd_keep_escapes(void *context, struct MHD_Connection *connection, char *text) {
    (void)context;
    (void)connection;
    return strlen(text);
}

static inline void mhd_format_log(void *context, const char *format, va_list arguments) {
    mhd_settings *settings = (mhd_settings *)context;
    char text[512];
    vsnprintf(text, sizeof text, format, arguments);
    settings->on_log(settings->context, text);
}

/// NULL when it does not start; the reason has been logged then.
static inline struct MHD_Daemon *mhd_start(mhd_settings *settings) {
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)settings->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)settings->key},
        {settings->password ? MHD_OPTION_HTTPS_KEY_PASSWORD : MHD_OPTION_END, 0, (void *)settings->password},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)mhd_format_log, settings},
        {MHD_OPTION_LISTEN_SOCKET, settings->listener, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)settings->connections, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)settings->idle_seconds, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)settings->on_completed, settings->context},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)mhd_keep_escapes, NULL},
        {MHD_OPTION_ARRAY, 0, settings->certificate ? tls : none},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    if (settings->certificate) flags |= MHD_USE_TLS;
    return MHD_start_daemon(flags, 0, NULL, NULL, settings->on_request, settings->context, MHD_OPTION_ARRAY, options,
                            MHD_OPTION_END);
}

/// A response with a copy of the bytes.
static inline struct MHD_Response *mhd_response(const void *bytes, size_t count) {
    return MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_MUST_COPY);
}

/// Ends both directions at once, so that the other side and libmicrohttpd notice.
static inline void mhd_hang_up(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info) shutdown(info->connect_fd, SHUT_RDWR);
}

/// The client's address as text in `buffer`, empty when unknown.
static inline void mhd_client_name(struct MHD_Connection *connection, char *buffer, size_t size) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    buffer[0] = 0;
    if (!info || !info->client_addr) return;
    if (info->client_addr->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)info->client_addr)->sin_addr, buffer, (socklen_t)size);
    } else if (info->client_addr->sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)info->client_addr)->sin6_addr, buffer, (socklen_t)size);
    }
}
