"""Where the invented companies and people of the demo come from, in their own scripts.

A word in another script than Latin carries its romanised form for addresses after a slash.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Place:
    country: str
    zone: str
    dialling: str
    share: int
    cities: str
    stems: str
    trades: str
    forms: str
    first: str
    last: str
    family_first: bool = False
    joined: bool = False
    """The script writes no spaces between the parts of a name."""


PLACES = (
    Place(
        country="Germany", zone="Europe/Berlin", dialling="+49 30", share=46,
        cities="Hannover,Stuttgart,München,Bielefeld,Dresden,Köln",
        stems="Nordfeld,Hartwig,Lindner,Brückmann,Falkenau,Weißbach,Rothenberg,Tannhof,Möllering,Käsbohrer",
        trades="Antriebstechnik,Fördersysteme,Anlagenbau,Messtechnik,Logistik,Robotik,Sensorik",
        forms="GmbH,AG,GmbH & Co. KG,SE",
        first="Anna,Jürgen,Katrin,Stefan,Sabine,Björn,Lena,Matthias,Ulrike,Tobias",
        last="Schröder,Vogt,Krämer,Hoffmann,Böhm,Lange,Winter,Köhler,Dietrich,Groß",
    ),
    Place(
        country="United States", zone="America/Chicago", dialling="+1 312", share=44,
        cities="Chicago,Austin,Detroit,Portland,Columbus,Raleigh",
        stems="Redwood,Ironbridge,Lakeshore,Summit Ridge,Bluestone,Copperline,Harborview,Prairie,Granite Peak,Cedar Fork",
        trades="Robotics,Logistics,Automation,Packaging,Materials,Controls,Fulfillment",
        forms="Inc.,LLC,Corp.,Company",
        first="Emily,Marcus,Dana,Tyler,Grace,Luis,Hannah,Jordan,Nicole,Andre",
        last="Carter,Nguyen,Whitfield,Brooks,Ramirez,Sullivan,Okafor,Bennett,Delgado,Foster",
    ),
    Place(
        country="United Kingdom", zone="Europe/London", dialling="+44 121", share=24,
        cities="Birmingham,Leeds,Bristol,Glasgow,Sheffield",
        stems="Ashdown,Pennine,Calder,Thornbury,Severn,Kestwick,Marlow,Blackmoor",
        trades="Engineering,Handling,Instruments,Freight,Castings,Systems",
        forms="Ltd,plc,LLP",
        first="Oliver,Charlotte,Imran,Fiona,Rhys,Aisha,Harriet,Callum",
        last="Hughes,Patel,Fraser,Whitaker,Khan,Ellison,Pritchard,Barlow",
    ),
    Place(
        country="France", zone="Europe/Paris", dialling="+33 4", share=20,
        cities="Lyon,Toulouse,Nantes,Grenoble,Lille",
        stems="Valmont,Belleville,Chevreuse,Montclair,Sauvagnac,Éclipse,Garonne",
        trades="Automatisme,Mécanique,Manutention,Emballage,Capteurs,Industrie",
        forms="SAS,SA,SARL",
        first="Élodie,Benoît,Chloé,Théo,Agnès,Hugo,Inès,François",
        last="Lefèvre,Moreau,Garnier,Duchêne,Rousseau,Béranger,Lacroix,Marchand",
    ),
    Place(
        country="Italy", zone="Europe/Rome", dialling="+39 051", share=18,
        cities="Bologna,Torino,Modena,Brescia,Padova",
        stems="Bellavista,Tramonto,Castelforte,Adriatica,Corsini,Valdarno,Rivalta",
        trades="Meccanica,Imballaggi,Automazione,Sistemi,Trasporti,Utensili",
        forms="S.p.A.,S.r.l.",
        first="Giulia,Lorenzo,Chiara,Matteo,Francesca,Davide,Elena,Paolo",
        last="Ferrara,Gallo,Moretti,Barbieri,Santoro,Rinaldi,Colombo,Fabbri",
    ),
    Place(
        country="Spain", zone="Europe/Madrid", dialling="+34 93", share=14,
        cities="Barcelona,Bilbao,Valencia,Zaragoza",
        stems="Montseny,Ibaizabal,Levante,Peñalara,Cantábrica,Almudena",
        trades="Logística,Maquinaria,Robótica,Envases,Ingeniería",
        forms="S.A.,S.L.",
        first="Lucía,Álvaro,Begoña,Íñigo,Carmen,Sergio,Marta,Joaquín",
        last="Ibáñez,Muñoz,Ortega,Castaño,Vidal,Echeverría,Navarro,Peña",
    ),
    Place(
        country="Netherlands", zone="Europe/Amsterdam", dialling="+31 40", share=14,
        cities="Eindhoven,Rotterdam,Utrecht,Venlo",
        stems="Noorderzon,Waterlinie,Zilverberg,Kranenburg,Oosterdijk",
        trades="Techniek,Logistiek,Besturing,Verpakking",
        forms="B.V.,N.V.",
        first="Sanne,Joost,Femke,Daan,Marieke,Ruben",
        last="de Vries,van der Meer,Janssen,Bakker,Hoekstra,van Dijk",
    ),
    Place(
        country="Sweden", zone="Europe/Stockholm", dialling="+46 31", share=12,
        cities="Göteborg,Västerås,Linköping",
        stems="Björkdal,Nordanå,Silverfors,Älvsbo,Granvik",
        trades="Automation,Verktyg,Lyftteknik,Industri",
        forms="AB",
        first="Åsa,Gustav,Elin,Oskar,Maja,Henrik",
        last="Lindqvist,Åkesson,Öberg,Sandström,Nyström,Bergman",
    ),
    Place(
        country="Poland", zone="Europe/Warsaw", dialling="+48 61", share=14,
        cities="Poznań,Wrocław,Łódź,Katowice",
        stems="Zielona Góra,Wisłomet,Tatrzański,Żuraw,Bursztyn",
        trades="Automatyka,Maszyny,Transport,Opakowania",
        forms="Sp. z o.o.,S.A.",
        first="Agnieszka,Łukasz,Małgorzata,Paweł,Zofia,Michał",
        last="Wiśniewska,Kowalczyk,Dąbrowski,Zając,Wójcik,Szymański",
    ),
    Place(
        country="Denmark", zone="Europe/Copenhagen", dialling="+45 66", share=8,
        cities="Odense,Aarhus,Aalborg",
        stems="Fjordlys,Kløvermark,Søndergård,Østervang",
        trades="Robotter,Maskiner,Pumper,Køleteknik",
        forms="A/S,ApS",
        first="Søren,Ida,Mikkel,Freja,Anders,Kirstine",
        last="Nørgaard,Kjær,Østergaard,Holm,Bruun,Møller",
    ),
    Place(
        country="Czechia", zone="Europe/Prague", dialling="+420 5", share=10,
        cities="Brno,Plzeň,Ostrava",
        stems="Moravan,Šumava,Vltavín,Železárna,Kamenice",
        trades="Strojírny,Automatizace,Nářadí,Doprava",
        forms="s.r.o.,a.s.",
        first="Jiří,Tereza,Ondřej,Zdeňka,Lukáš,Věra",
        last="Dvořák,Novotná,Růžička,Procházka,Kučera,Šimek",
    ),
    Place(
        country="Türkiye", zone="Europe/Istanbul", dialling="+90 224", share=10,
        cities="Bursa,İstanbul,İzmir",
        stems="Anadolu Işık,Marmara,Toros,Güneşli,Çınar",
        trades="Makine,Otomasyon,Lojistik,Kalıp",
        forms="A.Ş.,Ltd. Şti.",
        first="Ayşe,Mehmet,Elif,Çağlar,Şebnem,Oğuz",
        last="Yıldız,Demirtaş,Öztürk,Şahin,Kılıç,Aydın",
    ),
    Place(
        country="Greece", zone="Europe/Athens", dialling="+30 231", share=6,
        cities="Θεσσαλονίκη,Αθήνα",
        stems="Ολυμπία/olympia,Αιγαίο/aigaio,Θερμαϊκός/thermaikos,Πήλιο/pilio",
        trades="Αυτοματισμοί/automatismoi,Μηχανουργική/michanourgiki,Μεταφορές/metafores",
        forms="Α.Ε.,Ε.Π.Ε.",
        first="Ελένη/eleni,Γιώργος/giorgos,Μαρία/maria,Νίκος/nikos",
        last="Παπαδοπούλου/papadopoulou,Αντωνίου/antoniou,Δημητρίου/dimitriou,Βασιλείου/vasileiou",
    ),
    Place(
        country="Ukraine", zone="Europe/Kyiv", dialling="+380 32", share=6,
        cities="Львів,Дніпро",
        stems="Карпатія/karpatia,Дніпромаш/dnipromash,Верховина/verkhovyna,Світанок/svitanok",
        trades="Автоматика/avtomatyka,Логістика/logistyka,Верстати/verstaty",
        forms="ТОВ,ПАТ",
        first="Оксана/oksana,Андрій/andrii,Наталія/nataliia,Тарас/taras",
        last="Коваленко/kovalenko,Шевчук/shevchuk,Бондаренко/bondarenko,Мельник/melnyk",
    ),
    Place(
        country="Japan", zone="Asia/Tokyo", dialling="+81 52", share=16,
        cities="名古屋市,大阪市,横浜市",
        stems="北星/hokusei,青葉/aoba,富士見/fujimi,東海山/tokaiyama,光洋台/koyodai",
        trades="精機/seiki,工業/kogyo,物流/butsuryu,電機/denki",
        forms="株式会社",
        first="結衣/yui,健太/kenta,美咲/misaki,大輔/daisuke,陽子/yoko,翔/sho",
        last="佐藤/sato,高橋/takahashi,中村/nakamura,小林/kobayashi,松本/matsumoto,渡辺/watanabe",
        family_first=True, joined=True,
    ),
    Place(
        country="China", zone="Asia/Shanghai", dialling="+86 512", share=14,
        cities="苏州市,深圳市,杭州市",
        stems="晨曦/chenxi,江南/jiangnan,远航/yuanhang,新岸/xinan",
        trades="自动化/zidonghua,机械/jixie,智能装备/zhineng,物流科技/wuliu",
        forms="有限公司",
        first="伟/wei,芳/fang,静/jing,磊/lei,晓明/xiaoming,丽娟/lijuan",
        last="王/wang,李/li,陈/chen,刘/liu,赵/zhao,黄/huang",
        family_first=True, joined=True,
    ),
    Place(
        country="South Korea", zone="Asia/Seoul", dialling="+82 31", share=8,
        cities="수원시,창원시",
        stems="한빛/hanbit,새벽/saebyeok,동해/donghae,푸른솔/pureunsol",
        trades="정밀/jeongmil,로보틱스/robotics,물류/mullyu",
        forms="주식회사",
        first="지은/jieun,민준/minjun,서연/seoyeon,현우/hyunwoo",
        last="김/kim,박/park,최/choi,정/jung",
        family_first=True, joined=True,
    ),
    Place(
        country="India", zone="Asia/Kolkata", dialling="+91 20", share=12,
        cities="Pune,Bengaluru,Chennai",
        stems="Sahyadri,Godavari,Suryodaya,Deccan Star,Nilgiri",
        trades="Automation,Motors,Packaging,Logistics,Precision",
        forms="Pvt. Ltd.,Limited",
        first="Priyanka,Arjun,Kavya,Rohit,Meera,Vikram",
        last="Kulkarni,Iyer,Deshpande,Reddy,Menon,Banerjee",
    ),
    Place(
        country="United Arab Emirates", zone="Asia/Dubai", dialling="+971 4", share=6,
        cities="دبي,أبوظبي",
        stems="الخليج الأزرق/alkhaleej,واحة النور/wahat,نجم الصحراء/najm",
        trades="للصناعات/industries,للخدمات اللوجستية/logistics,للأتمتة/automation",
        forms="ذ.م.م",
        first="ليلى/layla,خالد/khalid,مريم/maryam,يوسف/yousef",
        last="المنصوري/almansoori,الهاشمي/alhashimi,النعيمي/alnuaimi,السويدي/alsuwaidi",
    ),
    Place(
        country="Brazil", zone="America/Sao_Paulo", dialling="+55 19", share=8,
        cities="Campinas,Joinville",
        stems="Araucária,Serra Azul,Ipê Amarelo,Maré Alta",
        trades="Automação,Embalagens,Logística,Usinagem",
        forms="Ltda.,S.A.",
        first="João,Beatriz,Thiago,Conceição,Rafael,Letícia",
        last="Gonçalves,Araújo,Magalhães,Simões,Conceição,Brandão",
    ),
)  # fmt: skip

INDUSTRIES = (
    "Industrial automation", "Intralogistics", "Machine tools", "Packaging machinery", "Food processing", "Automotive supply",
    "Third-party logistics", "Electronics manufacturing", "Chemicals", "Pharmaceuticals", "Energy equipment",
    "Building materials",
)  # fmt: skip

JOBS = (
    ("Chief Operating Officer", "C-level", "Operations", "is_exec_ops"),
    ("VP Operations", "VP", "Operations", "is_exec_ops"),
    ("Head of Logistics", "Director", "Operations", "is_ops"),
    ("Plant Manager", "Manager", "Operations", "is_ops"),
    ("Head of Procurement", "Director", "Procurement", "is_proc"),
    ("Strategic Buyer", "Senior", "Procurement", "is_proc"),
    ("Chief Technology Officer", "C-level", "Technology", "is_tech"),
    ("Automation Engineer", "Senior", "Technology", "is_tech"),
    ("Sales Director", "Director", "Sales", "is_sales"),
    ("Key Account Manager", "Manager", "Sales", "is_sales"),
    ("Head of People", "Director", "Human resources", "is_non_ops"),
    ("Marketing Manager", "Manager", "Marketing", "is_non_ops"),
)

TAGS = (
    "partner", "competitor user", "met last year", "press", "fleet > 50", "speaks German", "budget 2027", "pilot", "distributor",
    "do not rush",
)  # fmt: skip
