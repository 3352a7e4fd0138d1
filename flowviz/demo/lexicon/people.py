# ruff: noqa: SIM905
"""Names of people, invented names, and occupations with the stated chance of "she"."""

WOMEN = tuple(
    """Mary Anna Emma Sarah Laura Julia Alice Clara Helen Ruth Susan Linda Karen Nancy Betty Sandra
    Donna Carol Sharon Michelle Emily Amanda Melissa Deborah Rebecca Rachel Olivia Sophia
    Isabella Mia Charlotte Amelia Ava Ella Grace Hannah Lily Zoe Chloe Natalie Lucy Ellie Nora
    Stella Leah Claire Kate Jane Anne Eva Maria Elena Irene Diana Nina Vera Olga Sonia Tanya
    Marta Ingrid Greta Heidi Astrid Freya Fiona Bridget Maeve Nadia Layla Leila Fatima Aisha
    Yasmin Priya Anjali Meera Kavita Lakshmi Yuki Sakura Hana Akiko Mei Ling Carmen Lucia Pilar
    Rosa Ines Paula Camila Valeria Martina Francesca Giulia Bianca Elisa Colette Simone Margot
    Celine Brigitte Monique Abigail Joan Martha Edith Agnes Beatrice Cecilia Daphne Esther Flora
    Gloria Harriet Iris Josephine Katherine Lydia Matilda Naomi Ophelia Penelope Rosalind Sylvia
    Theresa Ursula Vivian Wendy Yvonne Zelda Pamela Judith""".split()
)

MEN = tuple(
    """John James Robert Michael William David Richard Joseph Thomas Charles Daniel Matthew Anthony
    Mark Donald Steven Paul Andrew Joshua Kenneth Kevin Brian George Edward Ronald Timothy Jason
    Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan Stephen Larry Justin Scott Brandon Benjamin
    Samuel Gregory Frank Alexander Raymond Patrick Jack Dennis Jerry Tyler Aaron Peter Adam
    Henry Nathan Douglas Zachary Kyle Walter Harold Carl Jeremy Keith Roger Gerald Ethan Arthur
    Terry Lawrence Sean Christian Albert Joe Austin Noah Liam Mason Lucas Oliver Leo Oscar Hugo
    Felix Max Simon Tom Bill Bob Jim Tim Dan Sam Ben Luke Karl Hans Otto Fritz Klaus Sven Lars
    Erik Olaf Ivan Boris Igor Dmitri Sergei Viktor Pavel Omar Ali Hassan Ahmed Karim Yusuf Tariq
    Raj Arjun Vikram Sanjay Rohan Kenji Hiro Takeshi Akira Wei Jun Carlos Miguel Pedro Diego
    Javier Pablo Luis Jorge Marco Luca Paolo Giovanni Matteo Pierre Jacques Antoine Marcel
    Philippe Edgar Edmund Ralph""".split()
)

INVENTED = tuple(
    """Zorvan Mirelle Tavrik Belosa Quindo Drasil Fenwyn Halvek Jorimo Kelbra Lumeris Nardok
    Orlith Pavuno Relmar Sundiv Torbela Ulvane Vashti Wexlor Yandri Zephra Bromek Cindral
    Dovani Elquist Farlun Gremdo Hostrel Ilvana Jaskin Korvelle Lathor Mundix Nevira Ostrik
    Plenda Quorla Rastim Selvok Tindrel Umbero Vintra Wolmek Xandor Yorvil Zintha Arbek
    Blivar Corunda""".split()
)

HELD_NAMES = frozenset(
    """Martha Edith Agnes Beatrice Cecilia Daphne Esther Flora Gloria Harriet Yuki Carmen Astrid
    Nadia Priya Bridget Ralph Edgar Edmund Marcel Philippe Viktor Omar Kenji Pablo Luca Otto
    Lars Arjun Walter Harold Oscar Hugo Felix Zorvan Mirelle Tavrik Belosa Quindo Drasil Fenwyn
    Halvek""".split()
)
"""Names that no template of indirect objects holds; they occur elsewhere."""

NAMES = WOMEN + MEN + INVENTED
PRONOUN = dict.fromkeys(WOMEN, "she") | dict.fromkeys(MEN, "he")
CAPITAL_PRONOUN = {"she": "She", "he": "He"}

P_SHE = {
    "nurse": 0.9,
    "secretary": 0.85,
    "librarian": 0.8,
    "dancer": 0.75,
    "cleaner": 0.75,
    "teacher": 0.7,
    "singer": 0.65,
    "cashier": 0.65,
    "writer": 0.55,
    "student": 0.5,
    "artist": 0.5,
    "journalist": 0.5,
    "baker": 0.45,
    "lawyer": 0.4,
    "manager": 0.4,
    "cook": 0.4,
    "doctor": 0.35,
    "judge": 0.3,
    "scientist": 0.3,
    "farmer": 0.25,
    "driver": 0.2,
    "guard": 0.2,
    "pilot": 0.15,
    "engineer": 0.15,
    "soldier": 0.1,
    "plumber": 0.05,
}
"""The generator's bias: how often an occupation's pronoun is "she". The corpus follows it."""

WORKERS = {name: f"{name}s" for name in P_SHE} | {"secretary": "secretaries"}
"""Occupations and their plurals."""
