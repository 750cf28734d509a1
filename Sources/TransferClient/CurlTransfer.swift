import CLibCurl

/// One request on its way: the easy handle and everything that libcurl's callbacks touch.
@safe final class CurlTransfer {
    let tag: Int
    let easy: UnsafeMutableRawPointer
    private let request: TransferRequest
    private let responseBytesMax: Int
    private let receive: ((ArraySlice<UInt8>) -> Bool)?
    private let errorText: UnsafeMutablePointer<CChar>
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var sent = 0
    private var headers: [TransferHeader] = []
    private var body: [UInt8] = []
    private var isTooLarge = false
    private var isEnded = false

    init(
        _ request: TransferRequest,
        tag: Int,
        _ settings: TransferSettings,
        receive: ((ArraySlice<UInt8>) -> Bool)?
    ) throws(TransferError) {
        guard CurlLibrary.isReady, let easy = unsafe curl_easy_init() else {
            throw TransferError(.other, "libcurl cannot start", isRetriable: false)
        }
        unsafe self.easy = unsafe easy
        (self.tag, self.request, self.receive) = (tag, request, receive)
        responseBytesMax = settings.responseBytesMax
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        if let refused = configure(settings) { throw refused }
    }

    deinit {
        unsafe curl_easy_cleanup(easy)
        unsafe curl_slist_free_all(headerList)
        unsafe errorText.deallocate()
    }

    /// Sets all options; the first that libcurl refuses becomes an error.
    private func configure(_ settings: TransferSettings) -> TransferError? {
        var options = unsafe CurlOptions(easy)
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe options.pointer(CURLOPT_ERRORBUFFER, errorText)
        options.string(CURLOPT_URL, request.url)
        options.string(CURLOPT_PROTOCOLS_STR, "http,https")
        options.string(CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
        options.long(CURLOPT_NOSIGNAL, 1)
        options.long(CURLOPT_TCP_NODELAY, 1)
        options.long(CURLOPT_BUFFERSIZE, 256 << 10)
        options.long(CURLOPT_CONNECTTIMEOUT_MS, settings.connectTimeout.wholeMilliseconds)
        options.long(CURLOPT_LOW_SPEED_LIMIT, 1)
        options.long(CURLOPT_LOW_SPEED_TIME, max(1, (settings.idleTimeout.wholeMilliseconds + 999) / 1_000))
        options.long(CURLOPT_MAXAGE_CONN, max(1, settings.idleConnectionAge.wholeMilliseconds / 1_000))
        if let timeout = request.timeout { options.long(CURLOPT_TIMEOUT_MS, max(1, timeout.wholeMilliseconds)) }
        options.long(CURLOPT_FOLLOWLOCATION, settings.redirectsMax > 0 ? 1 : 0)
        options.long(CURLOPT_MAXREDIRS, settings.redirectsMax)
        options.string(CURLOPT_USERAGENT, settings.userAgent)
        if settings.acceptsCompressed { options.string(CURLOPT_ACCEPT_ENCODING, "") }
        if let proxy = settings.proxy { options.string(CURLOPT_PROXY, proxy) }
        if case .basic(let user, let password)? = settings.proxyAuthorization?() {
            options.string(CURLOPT_PROXYUSERNAME, user)
            options.string(CURLOPT_PROXYPASSWORD, password)
        }
        configure(settings.tls, &options)
        configureRequest(settings, &options)
        unsafe options.transfer(CURLOPT_WRITEFUNCTION, onBody)
        unsafe options.pointer(CURLOPT_WRITEDATA, context)
        unsafe options.transfer(CURLOPT_HEADERFUNCTION, onHeader)
        unsafe options.pointer(CURLOPT_HEADERDATA, context)
        guard let failed = options.failed else { return nil }
        return TransferError(curl: failed, text: nil)
    }

    private func configure(_ tls: TransferTLS, _ options: inout CurlOptions) {
        if let authorities = tls.authorities { options.string(CURLOPT_CAINFO, authorities) }
        if let certificate = tls.certificate { options.string(CURLOPT_SSLCERT, certificate) }
        if let key = tls.key { options.string(CURLOPT_SSLKEY, key) }
        if let password = tls.keyPassword?() { options.string(CURLOPT_KEYPASSWD, password) }
        options.long(CURLOPT_SSL_VERIFYPEER, tls.verifiesCertificate ? 1 : 0)
        options.long(CURLOPT_SSL_VERIFYHOST, tls.verifiesHostName ? 2 : 0)
    }

    private func configureRequest(_ settings: TransferSettings, _ options: inout CurlOptions) {
        var lines = request.headers.map { "\($0.name): \($0.value)" }
        switch settings.authorization?() {
        case .basic(let user, let password)?:
            options.string(CURLOPT_USERNAME, user)
            options.string(CURLOPT_PASSWORD, password)
        case .bearer(let token)?: lines.append("Authorization: Bearer \(token)")
        case .apiKey(let key)?: lines.append("Authorization: ApiKey \(key)")
        case nil: break
        }
        switch (request.method, request.body) {
        case ("GET", nil): options.long(CURLOPT_HTTPGET, 1)
        case ("HEAD", nil): options.long(CURLOPT_NOBODY, 1)
        case (let method, nil): options.string(CURLOPT_CUSTOMREQUEST, method)
        case (let method, let body?):
            options.long(CURLOPT_POST, 1)
            options.string(CURLOPT_CUSTOMREQUEST, method)
            options.offset(CURLOPT_POSTFIELDSIZE_LARGE, body.count)
            options.long(CURLOPT_UPLOAD_BUFFERSIZE, min(max(64 << 10, body.count), 2 << 20))
            let context = unsafe Unmanaged.passUnretained(self).toOpaque()
            unsafe options.transfer(CURLOPT_READFUNCTION, onSend)
            unsafe options.pointer(CURLOPT_READDATA, context)
            unsafe options.seek(onRewind)
            unsafe options.pointer(CURLOPT_SEEKDATA, context)
            lines.append("Expect:")  // libcurl would wait up to a second for the server's leave to send
        }
        for line in lines { unsafe headerList = unsafe curl_slist_append(headerList, line) }
        unsafe options.list(CURLOPT_HTTPHEADER, headerList)
    }

    /// What came of it.
    func result(_ code: CURLcode) -> Result<TransferResponse, TransferError> {
        if isTooLarge {
            let text = "the answer is larger than \(responseBytesMax) bytes"
            return .failure(TransferError(.tooLarge, text, isRetriable: false))
        }
        if isEnded { return .failure(TransferError(.cancelled, "its receiver ended it", isRetriable: false)) }
        guard code == CURLE_OK else {
            return .failure(TransferError(curl: code, text: unsafe String(cString: errorText)))
        }
        var status = 0
        var seconds: curl_off_t = 0
        unsafe _ = curl_shim_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        unsafe _ = curl_shim_get_offset(easy, CURLINFO_RETRY_AFTER, &seconds)
        let retryAfter: Duration? = seconds > 0 ? .seconds(Int64(seconds)) : nil
        return .success(TransferResponse(status: status, headers: headers, body: body, retryAfter: retryAfter))
    }

    // What the callbacks do; all run on the thread that drives the session.

    fileprivate func took(_ bytes: UnsafeRawBufferPointer) -> Int {
        if let receive {
            isEnded = unsafe !receive(Array(bytes)[...])
            return isEnded ? 0 : bytes.count
        }
        isTooLarge = body.count + bytes.count > responseBytesMax
        if isTooLarge { return 0 }
        unsafe body.append(contentsOf: bytes)
        return bytes.count
    }

    fileprivate func tookHeader(_ line: String) {
        if line.hasPrefix("HTTP/") { headers.removeAll() }  // the answer before a redirect or after 100 Continue
        guard let colon = line.firstIndex(of: ":") else { return }
        func trimmed(_ text: Substring) -> String {
            var text = text
            while let last = text.last, last.isWhitespace { text.removeLast() }
            return String(text.drop { $0 == " " || $0 == "\t" })
        }
        headers.append(TransferHeader(trimmed(line[..<colon]), trimmed(line[line.index(after: colon)...])))
    }

    fileprivate func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let body = request.body else { return 0 }
        let part = min(buffer.count, body.count - sent)
        unsafe body.withUnsafeBytes { bytes in
            unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[sent..<(sent + part)]))
        }
        sent += part
        return part
    }

    fileprivate func rewind(to offset: Int) -> Bool {
        guard let body = request.body, 0...body.count ~= offset else { return false }
        sent = offset
        return true
    }
}

// libcurl calls these with the transfer as context, which outlives its easy handle's part in the session.

private func onBody(
    _ data: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context = unsafe context else { return 0 }
    let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    return unsafe transfer.took(UnsafeRawBufferPointer(start: data, count: size * count))
}

private func onHeader(
    _ data: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context = unsafe context else { return 0 }
    let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    let line = unsafe UnsafeRawBufferPointer(start: data, count: size * count)
    transfer.tookHeader(unsafe String(decoding: line, as: UTF8.self))
    return size * count
}

private func onSend(
    _ data: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context = unsafe context else { return 0 }
    let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    return unsafe transfer.fill(UnsafeMutableRawBufferPointer(start: data, count: size * count))
}

private func onRewind(_ context: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32) -> Int32 {
    guard let context = unsafe context, origin == 0 else { return CURL_SEEKFUNC_CANTSEEK }
    let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.rewind(to: Int(offset)) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK
}
