/// The chains that publish prices under Israel's price transparency law, as the importer and its users name them.
enum Chains {
    /// One chain: the lower-case name of topics and tables, the folder of its dumps, and the ids in file names.
    struct Chain {
        let name: String
        let folder: String
        let ids: [String]
    }

    /// The chain of a folder under the dumps (`SuperPharm`, `super_pharm`, in any case of letters).
    static func named(byFolder folder: String) -> String? { byFolder[normal(folder)] }

    /// The chain of an id in a file name or document; the first one listed when two imports share the id.
    static func named(byID id: String) -> String? { byID[id] }

    private static func normal(_ text: String) -> String { text.lowercased().filter { $0.isLetter || $0.isNumber } }

    private static let byFolder: [String: String] = Dictionary(
        all.flatMap { chain in [(normal(chain.folder), chain.name), (normal(chain.name), chain.name)] },
        uniquingKeysWith: { first, _ in first }
    )
    private static let byID: [String: String] = Dictionary(
        all.flatMap { chain in chain.ids.map { ($0, chain.name) } },
        uniquingKeysWith: { first, _ in first }
    )

    /// Newer imports of a chain that share ids with an older one stand behind it: folders tell them apart.
    private static let all: [Chain] = [
        Chain(name: "bareket", folder: "Bareket", ids: ["7290875100001"]),
        Chain(
            name: "yayno_bitan_and_carrefour",
            folder: "YaynotBitanAndCarrefour",
            ids: ["7290055700007", "7290725900003"]
        ),
        Chain(name: "cofix", folder: "Cofix", ids: ["7291056200008"]),
        Chain(
            name: "city_market_kiryatgat",
            folder: "CityMarketKiryatGat",
            ids: ["7290058288526", "7290058266241", "7290058288090"]
        ),
        Chain(name: "city_market_shops", folder: "CityMarketShops", ids: ["7290000000003"]),
        Chain(name: "city_market_givatayim", folder: "CityMarketGivatayim", ids: ["5359000000000"]),
        Chain(name: "city_market_kiryatono", folder: "CityMarketKiryatOno", ids: ["5359000000000"]),
        Chain(name: "dor_alon", folder: "DorAlon", ids: ["7290492000005", "729049000005"]),
        Chain(name: "good_pharm", folder: "GoodPharm", ids: ["7290058197699"]),
        Chain(name: "hazi_hinam", folder: "HaziHinam", ids: ["7290700100008"]),
        Chain(name: "het_cohen", folder: "HetCohen", ids: ["7290455000004"]),
        Chain(name: "het_cohen_new_source", folder: "HetCohenNewSource", ids: []),
        Chain(name: "keshet", folder: "Keshet", ids: ["7290785400000"]),
        Chain(name: "king_store", folder: "KingStore", ids: ["7290058108879"]),
        Chain(name: "maayan_2000", folder: "Maayan2000", ids: ["7290058159628"]),
        Chain(name: "mahsani_ashuk", folder: "MahsaniAShuk", ids: ["7290661400001", "7290633800006"]),
        Chain(name: "mahsani_ashuk_new_source", folder: "MahsaniAShukNewSource", ids: []),
        Chain(name: "mega", folder: "Mega", ids: []),
        Chain(name: "netiv_hased", folder: "NetivHased", ids: ["7290058160839"]),
        Chain(name: "meshmat_yosef_1", folder: "MeshnatYosef1", ids: ["5144744100002"]),
        Chain(name: "meshmat_yosef_2", folder: "MeshnatYosef2", ids: ["5144744100001", "7290058289400", "2222222"]),
        Chain(name: "osher_ad", folder: "Osherad", ids: ["7290103152017"]),
        Chain(name: "polizer", folder: "Polizer", ids: ["7291059100008"]),
        Chain(name: "rami_levy", folder: "RamiLevy", ids: ["7290058140886"]),
        Chain(name: "salach_dabach", folder: "SalachDabach", ids: ["7290526500006"]),
        Chain(name: "shefa_barcart_ashem", folder: "ShefaBarcartAshem", ids: ["7290058134977"]),
        Chain(name: "shufersal", folder: "Shufersal", ids: ["7290027600007"]),
        Chain(name: "shuk_ahir", folder: "ShukAhir", ids: ["7290058148776"]),
        Chain(name: "stop_market", folder: "StopMarket", ids: ["7290639000004", "72906390"]),
        Chain(name: "super_pharm", folder: "SuperPharm", ids: ["7290172900007"]),
        Chain(name: "super_yuda", folder: "SuperYuda", ids: ["7290058198450", "7290058177776"]),
        Chain(name: "super_sapir", folder: "SuperSapir", ids: ["7290058156016"]),
        Chain(name: "fresh_market_and_super_dosh", folder: "FreshMarketAndSuperDosh", ids: ["7290876100000"]),
        Chain(name: "quik", folder: "Quik", ids: ["7291029710008"]),
        Chain(name: "tiv_taam", folder: "TivTaam", ids: ["7290873255550"]),
        Chain(name: "victory", folder: "Victory", ids: ["7290696200003", "7290058103393"]),
        Chain(name: "victory_new_source", folder: "VictoryNewSource", ids: []),
        Chain(name: "yellow", folder: "Yellow", ids: ["7290644700005"]),
        Chain(name: "yohananof", folder: "Yohananof", ids: ["7290803800003"]),
        Chain(name: "zol_vebegadol", folder: "ZolVeBegadol", ids: ["7290058173198"]),
        Chain(name: "wolt", folder: "Wolt", ids: ["7290058249350"]),
    ]
}
