import CLibPQ

/// One use of a prepared statement in a pipeline.
public struct PostgresCommand: Sendable {
    /// The statement's name.
    public var statement: String
    /// Its parameters as UTF-8 bytes; nil is NULL.
    public var parameters: [[UInt8]?]

    /// Makes a command.
    public init(_ statement: String, _ parameters: [[UInt8]?]) {
        (self.statement, self.parameters) = (statement, parameters)
    }
}

extension PostgresSession {
    /// Runs prepared statements one after the other without waiting for each answer, and counts the rows they touched.
    ///
    /// Use it inside a transaction. The first failure ends it: the error's ``PostgresError/commandIndex`` tells which command
    /// it was, and no later one has run.
    @discardableResult
    public func pipeline(_ commands: [PostgresCommand]) throws(PostgresError) -> Int {
        guard !commands.isEmpty else { return 0 }
        try check { $0.enterPipelineMode() }
        var touched = 0
        var failure: PostgresError?
        var first = 0
        // In rounds, so that neither side has to hold more than a round's worth of the other's answers.
        while first < commands.count && failure == nil {
            let round = first..<min(first + 500, commands.count)
            do throws(PostgresError) { touched += try runRound(commands, round) } catch {
                guard isOpen else { throw error }
                failure = error
            }
            first = round.upperBound
        }
        try check { $0.exitPipelineMode() }
        if let failure { throw failure }
        return touched
    }

    private func runRound(_ commands: [PostgresCommand], _ round: Range<Int>) throws(PostgresError) -> Int {
        let deadline = self.deadline
        var problem: PostgresError?
        var sent = 0
        for index in round {
            let command = commands[index]
            do throws(PostgresError) { try Self.checkNoNUL(command.parameters) } catch {
                // Those before it are answered first: theirs may be the earlier failure.
                problem = error
                problem?.commandIndex = index
                break
            }
            try check { $0.sendPrepared(command.statement, command.parameters) }
            sent += 1
        }
        try check { $0.pipelineSync() }
        try flush(until: deadline)
        return try collectRound(from: round.lowerBound, sent: sent, problem, until: deadline)
    }

    private func collectRound(
        from first: Int,
        sent: Int,
        _ problem: PostgresError?,
        until deadline: ContinuousClock.Instant
    ) throws(PostgresError) -> Int {
        var touched = 0
        var failure: PostgresError?
        for index in 0..<sent {
            // Each command's results end with a null one.
            while let result = try nextResult(until: deadline) {
                if var error = result.error {
                    error.commandIndex = first + index
                    if error.isConnectionLost {
                        close()
                        throw error
                    }
                    failure = failure ?? error
                } else if result.status != PGRES_PIPELINE_ABORTED {
                    touched += result.affected
                }
            }
        }
        _ = try nextResult(until: deadline)  // the end of the round
        if let failure = failure ?? problem { throw failure }
        return touched
    }
}
