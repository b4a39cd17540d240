"""What people say in English, Spanish and Portuguese, as far as rules depend on it.

Only what must hold without a language model is here: that somebody wants a person, that nothing
but a greeting was said, and which language to answer in. Accents and case do not count.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Mapping, Sequence


class Language(enum.Enum):
    """Values are the names in SQL."""

    ENGLISH = "english"
    SPANISH = "spanish"
    PORTUGUESE = "portuguese"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


THEY_WROTE = "They wrote last:"
LAST_WORDS = 3
LONGEST_QUOTE = 200
CUT = "…"
EN, ES, PT = Language.ENGLISH, Language.SPANISH, Language.PORTUGUESE

PERSON = {
    EN: (
        r"(human|real person|live person|live agent|human being|agent|representative|operator|"
        r"somebody real|someone real|a person|your staff|customer service)"
    ),
    ES: (
        r"(humano|humana|persona|persona real|agente|asesor|asesora|representante|operador|"
        r"operadora|alguien real|ejecutivo|ejecutiva|encargado|encargada)"
    ),
    PT: (
        r"(humano|humana|pessoa|pessoa real|atendente|agente|representante|operador|operadora|"
        r"alguem real|responsavel)"
    ),
}
ASK = {
    EN: (
        r"(talk|speak|chat|connect me|put me through|transfer me|pass me|hand me over|"
        r"want|need|get me|give me|like)"
    ),
    ES: (
        r"(hablar|hablo|comunicarme|comunicame|comunicar|contactar|pasame|paseme|pasenme|pasar|"
        r"transfiereme|transfierame|quiero|necesito|quisiera|atienda|atiende|ponme|chatear)"
    ),
    PT: (
        r"(falar|falo|conversar|comunicar|contactar|passar|passa|transfere|transferir|transfira|"
        r"quero|preciso|gostaria|queria|atenda|chama|chame)"
    ),
}
LINK_WORDS = {
    EN: r"(?:\s+(?:to|with|an?|the|your|some|me|real|live|actual|please|be|able|in|touch))*",
    ES: r"(?:\s+(?:con|a|al|un|una|la|el|su|algun|alguna|por|favor|que|me|otra|ser))*",
    PT: r"(?:\s+(?:com|a|ao|um|uma|o|seu|sua|algum|alguma|por|favor|que|me|outra|ser))*",
}
WANTS_PERSON = tuple(
    re.compile(rf"\b{ASK[language]}{LINK_WORDS[language]}\s+{PERSON[language]}(?![\w-])")
    for language in Language
)
NOT_A_MACHINE = re.compile(
    r"\b(are you a (ro)?bot|not a (ro)?bot|no quiero (hablar con )?(un |una )?(bot|robot|maquina)|"
    r"nao quero (falar com )?(um |uma )?(bot|robo|maquina)|stop the bot)\b"
)
NOTHING_BUT = re.compile(
    r"(please )?(human|agent|operator|representative|real person|person|humano|agente|asesor|"
    r"operador|persona|atendente|pessoa|representante)( please| por favor)?"
)

GREETINGS = _words(
    "hi hello hey morning afternoon evening good hola buenas buenos dias tardes noches ola oi "
    "bom boa dia tarde noite bon there saludos"
)
THANKS = _words("thanks thank gracias obrigado obrigada thx ty muchas muito you")
AROUND = _words(
    "please por favor can could would will may you me tell know want wanted like need help "
    "question ask asking wondering quiero quisiera saber puede pueden podria podrian decirme "
    "dime necesito ayuda pregunta consulta queria gostaria pode podem poderia dizer preciso "
    "ajuda pergunta duvida tenho tengo una um uma just do does is are posso "
    "fazer puedo hacer much many "
    "have got a an minute moment quick anyone anybody someone somebody around minuto momento "
    "alguien alguem hay ha um un"
)
"""What people say around a question; it is in no article, so it must not count as missing."""
AROUND_A_QUESTION = GREETINGS | THANKS | AROUND

COMMON: Mapping[Language, frozenset[str]] = {
    EN: _words(
        "the of and to in is you that it for are with on be this have from or what how do does "
        "can your when where we i my which not at an will would please"
    ),
    ES: _words(
        "el la los las de y en que es un una por con para como cuando donde cual mi su se del al "
        "hay son tienen tiene puedo puede hacen hace este esta yo me lo pero muy estan horario "
        "cuanto cuesta hola gracias quiero usted ustedes"
    ),
    PT: _words(
        "o os as de e em que um uma por com para como quando onde qual meu minha seu sua se do da "
        "dos das no na ha sao tem voces voce posso pode faz fazem este eu mas muito estao horario "
        "quanto custa ola oi obrigado obrigada quero nao ao pelo pela"
    ),
}


def words_of(text: str) -> list[str]:
    """Lower-case words without accents; one with a hyphen is one word."""
    return re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", _folded(text))


def language_of(text: str) -> Language:
    """The language whose small words are the most; English when none is ahead."""
    words = words_of(text)
    folded = unicodedata.normalize("NFC", text.lower())
    # Letters that only one of them has weigh more than a word.
    marks = {
        ES: 2 * sum(folded.count(mark) for mark in "ñ¿¡"),
        PT: 2 * sum(folded.count(mark) for mark in "ãõçêôà"),
        EN: 0,
    }
    score = {
        language: marks[language] + sum(word in COMMON[language] for word in words)
        for language in Language
    }
    return max(Language, key=lambda language: score[language])


def wants_person(text: str) -> bool:
    """Whether the customer asks for a person."""
    words = " ".join(words_of(text))
    if NOTHING_BUT.fullmatch(words) or NOT_A_MACHINE.search(words):
        return True
    return any(pattern.search(words) for pattern in WANTS_PERSON)


def is_greeting(text: str) -> bool:
    """Whether nothing but a greeting was said."""
    words = set(words_of(text))
    return bool(words & GREETINGS) and words <= GREETINGS | AROUND


def is_thanks(text: str) -> bool:
    """Whether nothing but thanks was said."""
    words = set(words_of(text))
    return bool(words & THANKS) and words <= THANKS | GREETINGS


def question_in(text: str) -> str:
    """The words that an article should have: without greetings and what is said around."""
    return " ".join(word for word in words_of(text) if word not in AROUND_A_QUESTION)


def last_words(customers: Sequence[str]) -> str:
    """What a customer wrote last, quoted for the person who is called where no model sums it up."""
    texts = (text.replace("\x00", "").strip() for text in customers[-LAST_WORDS:])
    quotes = [f"“{_cut(text)}”" for text in texts if text]
    return "\n".join([THEY_WROTE, *quotes]) if quotes else ""


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - len(CUT)] + CUT


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark))


GREETING = {
    EN: "Hello! How can I help you?",
    ES: "¡Hola! ¿En qué puedo ayudarte?",
    PT: "Olá! Como posso ajudar?",
}
WELCOME = {
    EN: "You are welcome!",
    ES: "¡Con gusto!",
    PT: "De nada!",
}
SOURCE = {EN: "Source", ES: "Fuente", PT: "Fonte"}
HANDED_OVER = {
    EN: "I am passing you on to a colleague, who will answer you here.",
    ES: "Te paso con una persona del equipo, que te responderá por aquí.",
    PT: "Vou passar você para uma pessoa da equipe, que responderá por aqui.",
}
