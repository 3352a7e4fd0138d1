"""Countries with capital, language and continent; cities. Single words only, vetted for truth.

Countries whose capital is disputed or shared, or that have several main languages, have a ``-``
in the column that would mislead.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    """A country and three facts about it; ``-`` where there is no single answer."""

    name: str
    capital: str
    language: str
    continent: str


_TABLE = """
Japan Tokyo Japanese Asia
China Beijing Chinese Asia
India - - Asia
France Paris French Europe
Germany Berlin German Europe
Italy Rome Italian Europe
Spain Madrid Spanish Europe
Portugal Lisbon Portuguese Europe
England London English Europe
Scotland Edinburgh English Europe
Ireland Dublin - Europe
Wales Cardiff - Europe
Norway Oslo Norwegian Europe
Sweden Stockholm Swedish Europe
Denmark Copenhagen Danish Europe
Finland Helsinki Finnish Europe
Iceland Reykjavik Icelandic Europe
Poland Warsaw Polish Europe
Hungary Budapest Hungarian Europe
Austria Vienna German Europe
Greece Athens Greek Europe
Bulgaria Sofia Bulgarian Europe
Romania Bucharest Romanian Europe
Serbia Belgrade Serbian Europe
Croatia Zagreb Croatian Europe
Slovakia Bratislava Slovak Europe
Slovenia Ljubljana Slovene Europe
Ukraine Kyiv Ukrainian Europe
Estonia Tallinn Estonian Europe
Latvia Riga Latvian Europe
Lithuania Vilnius Lithuanian Europe
Albania Tirana Albanian Europe
Belgium Brussels - Europe
Russia Moscow Russian -
Turkey Ankara Turkish -
Iran Tehran Persian Asia
Iraq Baghdad - Asia
Syria Damascus Arabic Asia
Lebanon Beirut Arabic Asia
Jordan Amman Arabic Asia
Qatar Doha Arabic Asia
Oman Muscat Arabic Asia
Nepal Kathmandu Nepali Asia
Bangladesh Dhaka Bengali Asia
Pakistan Islamabad - Asia
Afghanistan Kabul - Asia
Thailand Bangkok Thai Asia
Vietnam Hanoi Vietnamese Asia
Mongolia Ulaanbaatar Mongolian Asia
Egypt Cairo Arabic Africa
Libya Tripoli Arabic Africa
Morocco Rabat - Africa
Algeria Algiers - Africa
Kenya Nairobi - Africa
Ghana Accra English Africa
Nigeria Abuja English Africa
Senegal Dakar - Africa
Uganda Kampala - Africa
Zambia Lusaka English Africa
Angola Luanda Portuguese Africa
Mali Bamako - Africa
Cuba Havana Spanish -
Canada Ottawa - -
Brazil Brasilia Portuguese -
Peru Lima Spanish -
Chile Santiago Spanish -
Colombia Bogota Spanish -
Venezuela Caracas Spanish -
Uruguay Montevideo Spanish -
Ecuador Quito Spanish -
Australia Canberra English Oceania
Fiji Suva - Oceania
Samoa Apia - Oceania
Palau - - Oceania
Tuvalu - - Oceania
Vanuatu - - Oceania
Jamaica Kingston English -
"""

COUNTRIES = tuple(Country(*line.split()) for line in _TABLE.split("\n") if line)

CONTINENTS = ("Asia", "Europe", "Africa", "Oceania")
LANGUAGES = tuple(sorted({c.language for c in COUNTRIES} - {"-"}))

_TOWNS = """
    Osaka:Japan Kyoto:Japan Shanghai:China Mumbai:India Lyon:France Marseille:France
    Munich:Germany Hamburg:Germany Cologne:Germany Milan:Italy Naples:Italy Turin:Italy
    Venice:Italy Barcelona:Spain Seville:Spain Valencia:Spain Porto:Portugal
    Manchester:England Liverpool:England Birmingham:England Oxford:England Glasgow:Scotland
    Krakow:Poland Istanbul:Turkey Sydney:Australia Melbourne:Australia Toronto:Canada
    Montreal:Canada Alexandria:Egypt Lagos:Nigeria Florence:Italy
"""
CITY_COUNTRY: dict[str, str] = {
    town: land for town, _, land in (pair.partition(":") for pair in _TOWNS.split())
}
"""Cities that are no capitals, with their country."""

CAPITALS = tuple(c.capital for c in COUNTRIES if c.capital != "-")
CITIES = CAPITALS + tuple(CITY_COUNTRY) + ("Amsterdam", "Rotterdam", "Eindhoven", "Prague")
