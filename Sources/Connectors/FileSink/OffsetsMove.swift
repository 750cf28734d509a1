import ConnectConfig
import ConnectModel
import ConnectSDK
import FileAccess
import Logs

private let log = Logger("sluice.file.sink")

/// Moves the offsets of a stopped sink: the manifest says where to go on, and the files behind that offset leave the
/// directory for a folder in it.
///
/// The manifest comes first and files leave from the newest on: whenever the power fails, the files that are left end
/// where the next task goes on.
struct OffsetsMove {
    private struct Step {
        var partition: TopicPartition
        var next: Int64?
        /// Files that are written again, newest first.
        var files: [String]
        var manifest: PartitionManifest
    }
    private let directory: String
    private let names: [String]

    static func run(_ change: SinkOffsetsChange, _ raw: [String: String]) throws(OffsetsError) {
        let directory: String
        do throws(ConfigInvalid) { directory = try FileSinkConfig(raw).directory } catch { throw .refused("\(error)") }
        do {
            guard try FileTree.facts(directory) != nil else { return }
            let move = Self(directory: directory, names: try FileTree.names(in: directory))
            var steps: [Step] = []
            for (partition, next) in move.wanted(change).sorted(by: { $0.key < $1.key }) {
                steps.append(try move.step(partition, next))
            }
            for step in steps { try move.take(step) }
        } catch let refusal as OffsetsError { throw refusal } catch {
            throw .failed("moving the offsets of the files in \(directory): \(error)")
        }
    }

    /// A reset is for every partition that has left anything here.
    private func wanted(_ change: SinkOffsetsChange) -> [TopicPartition: Int64?] {
        if case .set(let offsets) = change { return offsets }
        var found: [TopicPartition: Int64?] = [:]
        for name in names {
            if let segment = SegmentName(name) { found.updateValue(nil, forKey: segment.partition) }
            guard name.hasSuffix(".manifest"), let dash = name.lastIndex(of: "-"),
                let number = Int32(name[name.index(after: dash)...].dropLast(".manifest".count))
            else { continue }
            found.updateValue(nil, forKey: TopicPartition(String(name[..<dash]), number))
        }
        return found
    }

    private func step(_ partition: TopicPartition, _ next: Int64?) throws -> Step {
        guard let manifest = try PartitionManifest(partition, in: directory) else {
            throw OffsetsError.failed(
                "moving the offset of \(partition) in \(directory): a task still writes it; try again in a few seconds"
            )
        }
        var files: [(first: Int64, name: String)] = []
        for name in names {
            guard let segment = SegmentName(name), segment.partition == partition, let last = segment.last else {
                continue
            }
            if segment.first >= next ?? 0 {
                files.append((segment.first, name))
            } else if let next, next <= last {
                throw OffsetsError.refused(
                    "Offset \(next) of \(partition) lies inside the complete file \(name), and complete files do not "
                        + "change: choose \(segment.first) or \(last + 1)"
                )
            }
        }
        return Step(
            partition: partition,
            next: next,
            files: files.sorted { $0.first > $1.first }.map(\.name),
            manifest: manifest
        )
    }

    private func take(_ step: Step) throws(FileError) {
        var manifest = step.manifest
        try manifest.append(movedTo: step.next)
        guard !step.files.isEmpty else { return }
        let aside = "\(directory)/superseded-\(milliseconds())"
        try FileTree.makeDirectory(aside)
        for name in step.files { try FileTree.rename("\(directory)/\(name)", to: "\(aside)/\(name)") }
        try FileTree.sync(directory: aside)
        try FileTree.sync(directory: directory)
        log.info(
            "Offset moved back, the files behind it were moved away",
            ["partition": "\(step.partition)", "files": .int(step.files.count), "to": "\(aside)"]
        )
    }
}
