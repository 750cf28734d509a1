/// A queue on an array; the space of what left is reused once half of it is gone.
struct FIFO<Element> {
    private var items: [Element?] = []
    private var head = 0
    var count: Int { items.count - head }
    var isEmpty: Bool { count == 0 }
    mutating func append(_ element: Element) { items.append(element) }
    mutating func popFirst() -> Element? {
        guard head < items.count else { return nil }
        defer {
            items[head] = nil
            head += 1
            if head > 32 && head * 2 > items.count {
                items.removeFirst(head)
                head = 0
            }
        }
        return items[head]
    }
}
