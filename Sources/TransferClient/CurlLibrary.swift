import CLibCurl

/// The library's global state.
enum CurlLibrary {
    /// Whether libcurl is initialised; done once, before the first handle is made.
    static let isReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK
}

/// Sets options of one easy handle and remembers the first refusal.
@safe struct CurlOptions {
    private let easy: UnsafeMutableRawPointer
    private(set) var failed: CURLcode?

    init(_ easy: UnsafeMutableRawPointer) { unsafe self.easy = unsafe easy }

    mutating func long(_ option: CURLoption, _ value: Int) { note(unsafe curl_shim_set_long(easy, option, value)) }
    mutating func offset(_ option: CURLoption, _ value: Int) {
        note(unsafe curl_shim_set_offset(easy, option, curl_off_t(value)))
    }
    mutating func string(_ option: CURLoption, _ value: String) {
        note(unsafe curl_shim_set_string(easy, option, value))  // libcurl copies it
    }
    mutating func pointer(_ option: CURLoption, _ value: UnsafeMutableRawPointer) {
        note(unsafe curl_shim_set_pointer(easy, option, value))
    }
    mutating func list(_ option: CURLoption, _ value: UnsafeMutablePointer<curl_slist>?) {
        note(unsafe curl_shim_set_list(easy, option, value))
    }
    mutating func transfer(_ option: CURLoption, _ value: curl_shim_transfer) {
        note(unsafe curl_shim_set_transfer(easy, option, value))
    }
    mutating func seek(_ value: curl_shim_seek) { note(unsafe curl_shim_set_seek(easy, value)) }

    private mutating func note(_ code: CURLcode) {
        if failed == nil, code != CURLE_OK { failed = code }
    }
}

extension TransferError {
    /// Classifies libcurl's result; `text` is its own longer explanation.
    init(curl code: CURLcode, text: String?) {
        let words = unsafe text.flatMap { $0.isEmpty ? nil : $0 } ?? String(cString: curl_easy_strerror(code))
        switch code {
        case CURLE_COULDNT_CONNECT: self.init(.refused, words, isRetriable: true)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            self.init(.unknownHost, words, isRetriable: true)
        case CURLE_OPERATION_TIMEDOUT: self.init(.timeout, words, isRetriable: true)
        case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE, CURLE_HTTP2,
            CURLE_HTTP2_STREAM, CURLE_SEND_FAIL_REWIND:
            self.init(.connectionLost, words, isRetriable: true)
        case CURLE_SSL_CONNECT_ERROR: self.init(.tls, words, isRetriable: true)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CIPHER,
            CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_CLIENTCERT:
            self.init(.certificate, words, isRetriable: false)
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: self.init(.badURL, words, isRetriable: false)
        case CURLE_TOO_MANY_REDIRECTS: self.init(.tooManyRedirects, words, isRetriable: false)
        case CURLE_WEIRD_SERVER_REPLY, CURLE_OUT_OF_MEMORY: self.init(.other, words, isRetriable: true)
        default: self.init(.other, words, isRetriable: false)
        }
    }
}

extension Duration {
    /// Rounded to zero; what C takes as a `long`.
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(clamping: seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
