"""Facts about people and clubs, each a pair with one answer that nobody disputes."""


def _pairs(text: str) -> dict[str, str]:
    return {name: value for value, names in _lines(text) for name in names.split()}


def _lines(text: str) -> list[tuple[str, str]]:
    pairs = (line.split(": ") for line in text.strip().split("\n"))
    return [(value, names) for value, names in pairs]


SPORT = _pairs("""
football: Messi Ronaldo Pele Maradona Zidane Beckham Neymar Mbappe Cruyff Platini
tennis: Federer Nadal Djokovic Agassi Sampras Borg McEnroe Navratilova
basketball: Shaq LeBron Duncan Pippen Curry Wembanyama
golf: Nicklaus Mickelson McIlroy Ballesteros
baseball: DiMaggio Mantle Ohtani
cricket: Tendulkar Bradman Kohli Lara
hockey: Gretzky Lemieux Crosby Ovechkin
chess: Kasparov Karpov Carlsen Fischer Tal
""")

FIELD = _pairs("""
physics: Einstein Bohr Faraday Maxwell Heisenberg Fermi Feynman
biology: Darwin Mendel Linnaeus Crick
chemistry: Mendeleev Lavoisier Dalton Pauling
mathematics: Euler Gauss Euclid Riemann Hilbert Noether
philosophy: Plato Socrates Kant Hegel Nietzsche Hume Aristotle
economics: Keynes Friedman Ricardo Hayek
medicine: Galen Hippocrates Fleming Lister
astronomy: Hubble Kepler Copernicus Ptolemy
""")

INSTRUMENT = _pairs("""
piano: Chopin Liszt Rubinstein Horowitz Gershwin Rachmaninoff Tatum
guitar: Hendrix Clapton Santana Segovia Reinhardt
violin: Paganini Heifetz Menuhin Vivaldi Oistrakh
trumpet: Armstrong Gillespie Marsalis
saxophone: Coltrane Parker Rollins Getz
cello: Casals Rostropovich Fournier
drums: Ringo Bonham Krupa
""")

CLUB_CITY = _pairs("""
London: Arsenal Chelsea Tottenham Fulham Millwall Brentford
Liverpool: Everton
Birmingham: Villa
Glasgow: Celtic Rangers
Edinburgh: Hearts Hibernian
Turin: Juventus
Rome: Lazio
Milan: Inter
Naples: Napoli
Florence: Fiorentina
Lisbon: Benfica
Amsterdam: Ajax
Rotterdam: Feyenoord
Eindhoven: PSV
Munich: Bayern
Berlin: Hertha
Madrid: Atletico
Seville: Betis
Barcelona: Espanyol
Istanbul: Galatasaray Besiktas Fenerbahce
Athens: Panathinaikos AEK
Moscow: Spartak
Belgrade: Partizan
Prague: Slavia
Budapest: Ferencvaros Honved
Warsaw: Legia
Krakow: Wisla
Sofia: Levski
Bucharest: Steaua
""")
