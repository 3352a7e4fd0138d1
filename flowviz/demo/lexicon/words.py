# ruff: noqa: SIM905
"""Common words of the little English: nouns, verbs, adjectives, and what goes with what."""


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.split(":") for pair in text.split())


def _groups(text: str) -> list[tuple[str, list[str]]]:
    """Lines of a group's name, a colon, and its words."""
    lines = (line.partition(": ") for line in text.strip().split("\n"))
    return [(group, words.split()) for group, _, words in lines]


PLURAL = _pairs("""
cat:cats dog:dogs horse:horses bird:birds cow:cows pig:pigs lion:lions tiger:tigers wolf:wolves
fox:foxes bear:bears rabbit:rabbits snake:snakes eagle:eagles duck:ducks mouse:mice goose:geese
sheep:sheep spider:spiders bee:bees apple:apples pear:pears banana:bananas orange:oranges
grape:grapes cherry:cherries potato:potatoes carrot:carrots onion:onions tomato:tomatoes
hammer:hammers saw:saws knife:knives fork:forks spoon:spoons cup:cups plate:plates bottle:bottles
chair:chairs table:tables bed:beds desk:desks sofa:sofas car:cars bus:buses train:trains
boat:boats ship:ships bicycle:bicycles truck:trucks shirt:shirts coat:coats hat:hats dress:dresses
shoe:shoes glove:gloves rose:roses tulip:tulips daisy:daisies oak:oaks pine:pines tree:trees
flower:flowers book:books letter:letters pen:pens key:keys box:boxes bag:bags ring:rings
coin:coins ball:balls toy:toys lamp:lamps clock:clocks picture:pictures map:maps gift:gifts
basket:baskets door:doors window:windows wall:walls house:houses garden:gardens street:streets
river:rivers lake:lakes mountain:mountains island:islands city:cities country:countries
village:villages child:children man:men woman:women boy:boys girl:girls friend:friends
neighbor:neighbors king:kings queen:queens tooth:teeth foot:feet leaf:leaves star:stars
cabinet:cabinets drawer:drawers shelf:shelves story:stories song:songs question:questions
""")
"""Singular to plural."""

KIND = {
    noun: kind
    for kind, nouns in _groups("""
animal: cat dog horse cow pig lion tiger wolf fox bear rabbit sheep mouse
bird: eagle duck goose sparrow owl crow swan robin
insect: bee ant fly wasp beetle butterfly
fish: salmon trout tuna shark cod herring
fruit: apple pear banana orange grape cherry lemon peach
vegetable: potato carrot onion cabbage spinach broccoli
tool: hammer saw drill wrench chisel shovel
vehicle: car bus train truck bicycle tractor
drink: water milk juice tea coffee wine beer
metal: gold silver iron copper tin lead zinc
flower: rose tulip daisy lily orchid
tree: oak pine maple willow birch
color: red blue green yellow purple pink brown
weapon: sword spear gun rifle dagger
disease: flu measles malaria cholera
planet: Mars Venus Jupiter Saturn Neptune
""")
    for noun in nouns
}
"""What each thing is a kind of."""

OPPOSITE = _pairs("""
hot:cold big:small fast:slow tall:short old:young rich:poor happy:sad strong:weak hard:soft
heavy:light dark:bright wet:dry full:empty open:closed clean:dirty loud:quiet early:late
high:low deep:shallow wide:narrow thick:thin good:bad right:wrong true:false
near:far sweet:bitter brave:afraid smooth:rough sharp:blunt safe:dangerous easy:difficult
kind:cruel awake:asleep alive:dead beautiful:ugly cheap:expensive modern:ancient simple:complex
public:private major:minor polite:rude tight:loose
guilty:innocent
""")
ANTONYM = OPPOSITE | {right: left for left, right in OPPOSITE.items()}

COLOR = _pairs("""
grass:green snow:white coal:black blood:red milk:white lemon:yellow carrot:orange sky:blue
chocolate:brown cherry:red spinach:green banana:yellow tar:black cotton:white emerald:green
ruby:red sapphire:blue lime:green crow:black swan:white canary:yellow soot:black tomato:red
broccoli:green chalk:white pumpkin:orange salt:white strawberry:red frog:green mud:brown
""")

PROPERTY = _pairs("""
ice:cold fire:hot honey:sweet feather:light rock:hard pillow:soft knife:sharp lion:strong
snail:slow rabbit:fast sun:bright elephant:big ant:small giraffe:tall ocean:deep desert:dry
glass:smooth silk:smooth stone:hard steel:hard lemon:sour sugar:sweet cotton:soft rain:wet
razor:sharp night:dark mountain:high diamond:expensive tortoise:slow whale:big mouse:small
thunder:loud poison:dangerous soap:clean mud:dirty needle:thin
""")

VERBS = tuple(
    tuple(item.split("/"))
    for item in """walk/walks/walked talk/talks/talked jump/jumps/jumped play/plays/played
    work/works/worked look/looks/looked cook/cooks/cooked dance/dances/danced
    laugh/laughs/laughed smile/smiles/smiled wait/waits/waited call/calls/called
    help/helps/helped ask/asks/asked listen/listens/listened paint/paints/painted
    open/opens/opened close/closes/closed climb/climbs/climbed travel/travels/traveled
    arrive/arrives/arrived study/studies/studied cry/cries/cried try/tries/tried
    carry/carries/carried stop/stops/stopped live/lives/lived run/runs/ran sing/sings/sang
    swim/swims/swam drink/drinks/drank begin/begins/began go/goes/went come/comes/came
    see/sees/saw eat/eats/ate give/gives/gave take/takes/took make/makes/made
    write/writes/wrote drive/drives/drove ride/rides/rode rise/rises/rose speak/speaks/spoke
    break/breaks/broke wake/wakes/woke choose/chooses/chose fly/flies/flew grow/grows/grew
    know/knows/knew throw/throws/threw draw/draws/drew fall/falls/fell find/finds/found
    buy/buys/bought bring/brings/brought think/thinks/thought teach/teaches/taught
    catch/catches/caught fight/fights/fought sleep/sleeps/slept keep/keeps/kept
    feel/feels/felt leave/leaves/left meet/meets/met lose/loses/lost build/builds/built
    send/sends/sent spend/spends/spent lend/lends/lent sit/sits/sat stand/stands/stood
    understand/understands/understood tell/tells/told sell/sells/sold hold/holds/held
    win/wins/won hear/hears/heard say/says/said answer/answers/answered offer/offers/offered
    hand/hands/handed pass/passes/passed show/shows/showed feed/feeds/fed lead/leads/led""".split()
)
"""Base form, third person singular, past tense."""

PAST = {base: past for base, _, past in VERBS}
THIRD = {base: third for base, third, _ in VERBS}
LEMMA = {form: base for base, *forms in VERBS for form in forms} | {v[0]: v[0] for v in VERBS}

ADJECTIVES = tuple(ANTONYM) + tuple("new little warm strange famous lovely green white".split())

SERIES = {
    "days": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "months": """January February March April May June July August September
    October November December""".split(),
    "numbers": """one two three four five six seven eight nine ten eleven twelve thirteen
    fourteen fifteen sixteen seventeen eighteen nineteen twenty""".split(),
    "ordinals": "first second third fourth fifth sixth seventh eighth ninth tenth".split(),
    "letters": list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "digits": [str(n) for n in range(1, 31)],
}
CYCLIC = frozenset({"days", "months"})

PLACES = """store park school market office station library hospital restaurant museum beach garden
    church theater bank farm zoo bar cafe hotel""".split()
THINGS = """drink book ring key gift letter ball pen flower bag basket coin map toy hat cup picture
    computer kiss bone snack apple""".split()
GIVE = ["gave", "handed", "passed", "offered", "sent", "showed", "brought"]
HELD_GIVE = ["lent", "threw", "sold"]
"""Verbs of giving that no template of indirect objects holds; they occur elsewhere."""

EVENTS = """war siege voyage conflict campaign journey festival project reign trial drought
    strike tour debate plague mission""".split()

EXTRA = tuple(
    (group, form)
    for group, forms in _groups("""
DET: the a an this that these those every each all some any no another both
ADP: of to in at on by with from for about into near under over between until because up down off
ADV: not now then today yesterday tomorrow here there very so too also again never always often
ADV: soon later finally together home back away more less there ago once how why when where
CCONJ: and or but
SCONJ: if while before after as since although whether than
AUX: is are was were be been has have had do does did will would can could must may should
PRON: it its he she they we you I him her his their them who what which everyone nobody everybody
PRON: something nothing
NOUN: morning afternoon evening night day week month year time people world name capital language
NOUN: continent opposite plural tense kind word list page example note number player club team
NOUN: instrument sport subject field music home party meeting patient report room water food bread
NOUN: dinner lunch argument work love breakfast science member citizen
ADJ: famous official main new next last first past present many much most different same alone
VERB: located lies belongs called known spoken based lived visited liked loved wanted needed like
VERB: want need comes follows lasted decided had means started ended love enjoyed said held
INTJ: yes like
NUM: hundred thousand
""")
    for form in forms
)
"""Words of templates and of the literature's prompts, with their part of speech."""
