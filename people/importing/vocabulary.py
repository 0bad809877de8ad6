"""Words: the headers lists carry in many languages, and what people write when they have nothing to say."""


def _words(text: str, *, separator: str | None = None) -> frozenset[str]:
    return frozenset(" ".join(word.split()) for word in text.split(separator))


HEADERS: dict[str, str] = {
    "account.name": (
        "company|company name|company name 1|account|account name|organisation|organization|organisation name|"
        "organization name|exhibitor|exhibitor name|exhibitorname|business name|firm|employer|brand|vendor|firma|"
        "firmenname|unternehmen|aussteller|ausstellername|gesellschaft|arbeitgeber|societe|entreprise|exposant|"
        "raison sociale|nom de l'entreprise|empresa|compania|expositor|nombre de la empresa|razon social|azienda|"
        "societa|espositore|ragione sociale|bedrijf|bedrijfsnaam|exposant naam|firma adi|sirket|foretag|"
        "virksomhed|yritys|empresa nome|spolecnost"
    ),
    "account.website": (
        "website|web site|web|url|homepage|home page|company website|company url|site|web address|internet|www|"
        "domain|company domain|webseite|webadresse|internetadresse|site web|site internet|sitio web|pagina web|"
        "sito|sito web|website url|webbplats|hjemmeside"
    ),
    "account.industry": (
        "industry|sector|branch|category|product category|vertical|branche|industrie|kategorie|secteur|"
        "secteur d'activite|industria|sector industrial|settore|categoria|sector"
    ),
    "account.description": (
        "description|company description|about|profile|company profile|beschreibung|firmenprofil|descripcion|"
        "descrizione"
    ),
    "account.headquarters": "headquarters|hq|head office|hauptsitz|zentrale|siege|siege social|sede|sede central",
    "account.street": (
        "street|address|street address|address 1|address line 1|company address|strasse|adresse|anschrift|rue|"
        "calle|direccion|via|indirizzo|straat|adres|ulica"
    ),
    "account.postal_code": (
        "zip|zip code|zipcode|postal code|postcode|post code|postal|plz|postleitzahl|code postal|codigo postal|cp|"
        "cap|kod pocztowy"
    ),
    "account.city": "city|town|company city|ort|stadt|ville|ciudad|citta|plaats|stad|sehir|miasto|locality",
    "account.region": (
        "state|region|province|county|state region|state province|bundesland|provinz|etat|estado|provincia|regione"
    ),
    "account.country": "country|nation|company country|land|pays|pais|paese|ulke|kraj|country region|country code",
    "account.phone": (
        "company phone|phone number company|main phone|switchboard|office phone number|telefon firma|"
        "zentrale telefon|company telephone|hq phone"
    ),
    "account.linkedin": (
        "company linkedin|company linkedin url|linkedin company|linkedin company page|linkedin company url"
    ),
    "account.revenue": (
        "revenue|annual revenue|turnover|sales|annual turnover|umsatz|jahresumsatz|chiffre d'affaires|ingresos|"
        "facturacion|fatturato|revenue usd|annual revenue usd"
    ),
    "account.employee_count": (
        "employees|employee count|number of employees|no of employees|headcount|company size|size|staff|"
        "mitarbeiter|mitarbeiterzahl|anzahl mitarbeiter|effectif|empleados|dipendenti|employeecount|num employees"
    ),
    "account.notes": "company notes|account notes",
    "account.owner": "account owner|company owner|kundenbetreuer",
    "account.tags": "tags|labels|keywords|company tags|account tags|schlagworte|etiquetas",
    "stand.hall": "hall|hall no|hall number|pavilion|building|halle|hallen|padiglione|pabellon|hal",
    "stand.number": (
        "booth|booth no|booth number|booths|stand|stand no|stand number|stands|stand nr|standnummer|messestand|"
        "location id|numero de stand|numero stand|no de stand|stand numero|booth id"
    ),
    "target.tier": "tier|account tier|priority|prio|abc|klasse|rank|target tier",
    "target.status": "status|account status|sales status",
    "target.stage": "stage|funnel stage|account stage|phase",
    "target.owner": (
        "assigned to|assignedto|assignee|owner|rep|sales rep|responsible|betreuer|zustandig|verantwortlich|vendedor"
    ),
    "target.notes": "event notes|show notes|booth notes",
    "person.name": (
        "full name|fullname|contact|contact name|contact person|person|attendee|attendee name|speaker|delegate|"
        "participant|vollstandiger name|ansprechpartner|kontakt|kontaktperson|teilnehmer|nom complet|"
        "nombre completo|nome completo|contactpersoon|contacto|contatto|ad soyad|lead name"
    ),
    "person.first_name": (
        "first name|firstname|first|given name|givenname|forename|vorname|prenom|nombre|nome|voornaam|ad|imie|"
        "fornamn|fornavn|etunimi"
    ),
    "person.last_name": (
        "last name|lastname|last|surname|family name|familyname|nachname|familienname|zuname|nom de famille|"
        "apellido|apellidos|cognome|achternaam|soyad|nazwisko|efternamn|etternavn|sukunimi"
    ),
    "person.email": (
        "email|e-mail|e mail|mail|email address|e-mail address|e-mail-adresse|emailaddress|work email|"
        "business email|contact email|primary email|secondary email|personal email|other email|email 1|email 2|"
        "email 3|e-mail 1|e-mail 2|e-mail 3|email1|email2|email3|courriel|adresse e-mail|adresse email|correo|"
        "correo electronico|posta elettronica|e-posta|sahkoposti|email work|email home|alternative email|"
        "indirizzo email"
    ),
    "person.title": (
        "title|job title|jobtitle|position|job position|role|job role|designation|function|job function|"
        "berufsbezeichnung|funktion|stelle|poste|fonction|intitule du poste|cargo|puesto|ruolo|qualifica|functie|"
        "unvan|headline"
    ),
    "person.seniority": "seniority|level|seniority level|management level|hierarchie",
    "person.department": (
        "department|dept|division|abteilung|bereich|departement|service|departamento|reparto|afdeling"
    ),
    "person.phone": (
        "phone|phone number|telephone|tel|tel no|tel number|telephone number|phone no|direct phone|work phone|"
        "business phone|office phone|direct dial|telefon|telefonnummer|rufnummer|telephone fixe|telefono|"
        "numero de telephone|telefoon"
    ),
    "person.mobile": (
        "mobile|mobile phone|mobile number|cell|cell phone|cellphone|handy|mobil|mobiltelefon|handynummer|"
        "portable|telephone portable|movil|celular|cellulare|gsm|mobiel"
    ),
    "person.linkedin": (
        "linkedin|linkedin url|linkedin profile|linkedin profile url|linkedinurl|person linkedin url|contact linkedin"
    ),
    "person.city": "person city|contact city",
    "person.country": "person country|contact country",
    "person.notes": (
        "notes|note|comment|comments|remarks|remark|bemerkung|bemerkungen|notizen|kommentar|remarques|notas|"
        "note contatto|memo"
    ),
    "person.owner": "contact owner|lead owner|person owner",
    "person.tags": "contact tags|person tags|lead tags",
    "person.personas": "persona|personas|buyer persona",
    "person.is_exec_ops": "isexecops|is exec ops|exec ops|executive operations",
    "person.is_ops": "isops|is ops|ops|operations",
    "person.is_proc": "isproc|is proc|isprocurement|is procurement|procurement|purchasing|einkauf",
    "person.is_sales": "issales|is sales",
    "person.is_tech": "istech|is tech|isittech|is it tech|it tech|technology",
    "person.is_non_ops": "isnonops|is non ops|non ops",
    "person.extra": "issupplychain|is supply chain|supply chain|isfacilities|is facilities|facilities",
}
"""Per target the headers that mean it, separated by bars, without case and accents."""

NAME_HEADERS = _words("name nom nombre nome naam namn navn isim nazwa")
"""Headers that mean a company or a person, depending on the others."""

IDENTIFIERS = _words("id|no|nr|#|row|index|created at|updated at|createdat|updatedat|uuid", separator="|")
"""Headers of columns that hold nothing for us, whatever their values look like."""

EMPTY = _words(
    "nan|null|none|n/a|#n/a|n.a.|n.a|n/d|nil|undefined|#ref!|#value!|#name?|#div/0!|#null!|#num!|-|--|---|–|—|―|.|..|...|?|??|_|/|*|"
    "(null)|(none)|(blank)|[null]|<null>|<na>|k.a.|not available|not applicable|not provided|not specified|not known|no data|"
    "no value|keine angabe|keine|nicht angegeben|non renseigné|sin datos|no disponible|tbd|tba|tbc|xxx|ohne",
    separator="|",
)
"""Lower-case texts that mean there is no value."""

FREE_MAIL = _words(
    """gmail.com googlemail.com yahoo.com yahoo.de yahoo.fr yahoo.co.uk yahoo.co.in outlook.com hotmail.com hotmail.de
    hotmail.fr hotmail.co.uk live.com msn.com icloud.com me.com mac.com aol.com gmx.de gmx.net gmx.at gmx.ch gmx.com web.de
    t-online.de freenet.de orange.fr wanadoo.fr free.fr laposte.net libero.it virgilio.it alice.it tin.it bluewin.ch mail.ru
    yandex.ru qq.com 163.com 126.com sina.com foxmail.com naver.com hanmail.net daum.net proton.me protonmail.com
    rediffmail.com"""
)
"""Domains that say nothing about the company of whoever writes from them."""

SHARED_SITES = _words(
    """facebook.com linkedin.com instagram.com youtube.com twitter.com x.com alibaba.com made-in-china.com globalsources.com
    indiamart.com wordpress.com wixsite.com blogspot.com google.com business.site github.io"""
)
"""Sites on which many unrelated companies have a page: one of them in common says nothing."""

TRUE = _words("yes y true t 1 x ✓ ✔ ja j oui o si sí s sim evet tak da on wahr vrai")
FALSE = _words("no n false f 0 nein non off falsch faux hayir nie ne")
