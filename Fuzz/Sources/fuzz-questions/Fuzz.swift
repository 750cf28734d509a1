import ParserProbes

/// libFuzzer's door to the probe.
@c(LLVMFuzzerTestOneInput) public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    Probe.questions.read(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// Called once before all inputs: the good ones go into the folder that FUZZ_CORPUS names.
@c(LLVMFuzzerInitialize) public func prepare(
    _ count: UnsafeMutableRawPointer?,
    _ words: UnsafeMutableRawPointer?
) -> Int32 {
    Probe.questions.writeCorpus()
    return 0
}
