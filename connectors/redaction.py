"""Taking out of a text or of JSON what its reader need not know: secrets, and who somebody is.

Nothing that we keep of a call holds a secret. What goes to a platform's support names nobody.
"""

import re
from collections.abc import Callable, Collection
from typing import Any

from connectors.fiscal import cnpj_is_valid, compact, cpf_is_valid

MASK = "***"
LEAST_SECRET = 6  # characters: what is shorter stands everywhere by chance
LEAST_NAME, LEAST_NUMBER = 3, 7  # of what is looked for in sentences: shorter is anything
LONGEST = 300  # and longer is nobody's name or number
DEEPEST = 100  # objects in objects: what is nested further is not looked through
# A word is read once, however long it is: strangers write these texts, and one who repeats "token"
# a million times would keep a worker busy for days.
_SECRET = r"(?=\w*(?:token|secret|password|credential))\w++|passwd|senha|authorization|api_?key"
SECRET_KEY = re.compile(rf"({_SECRET})", re.IGNORECASE)
# In an address or a form, in JSON, in a header.
SECRETS_IN_TEXT = (
    re.compile(rf"\b({_SECRET})(=)[^&\s\"']+", re.IGNORECASE),
    re.compile(rf"(\"(?:{_SECRET})\")(\s*:\s*)\"(?:[^\"\\]|\\.)*\"?", re.IGNORECASE),
    re.compile(r"\b(Bearer|Basic)(\s+)[\w.~+/=-]{6,}"),
)

# Personal data, by class. A bare name is somebody's only where it stands within a person.
_DOCUMENT = r"cpf|cnpj|cpf_?cnpj|document|documento|rg|ie|tax_?id|cpfcnpj"
_PERSON = (
    r"payer|receiver|buyer|customer|cliente|comprador|contato|destinatario|recipient|contact|"
    r"ship\w*_address|bill\w*_address|endereco_entrega|enderecoentrega|endereco|address|user"
)
_ADDRESS = (
    r"address|endereco|street|rua|number|numero|address_number|address_complement|complement|"
    r"address_reference|"
    r"complemento|neighborhood|bairro|zip\w*|cep|reference|referencia|endereconro"
)
_REACHED_BY = r"e_?mail(?:_nfe)?|phone\w*|fone|telefone|celular|mobile"
PERSON = re.compile(rf"(?:{_PERSON})", re.IGNORECASE)
PERSONAL_KEY = re.compile(
    rf"(?:{_DOCUMENT}|{_REACHED_BY}|nome_?destinatario|nome_comprador|nome_cliente"
    rf"|(?:payer|receiver|buyer|customer|cliente|shipping|billing)_"
    rf"(?:name|fullname|lastname|razao_social|company_name|fantasy_name|additional_info|im"
    rf"|billing_info_id|{_DOCUMENT}|{_REACHED_BY}|{_ADDRESS}))",
    re.IGNORECASE,
)
WITHIN_PERSON = re.compile(
    rf"(?:name|nome|lastname|sobrenome|fantasia|razao_social|{_DOCUMENT}|{_REACHED_BY}|{_ADDRESS})",
    re.IGNORECASE,
)
# What stands in sentences: e-mail, of which as much stands before the @ as may, CPF and CNPJ as
# people write them, eleven bare digits.
PEOPLE_IN_TEXT = re.compile(
    r"[\w.+-]{1,64}+@[\w-]+\.[\w.-]+"
    r"|\b\d{3}\.\d{3}\.\d{3}-\d{2}\b"
    r"|\b[0-9A-Z]{2}\.[0-9A-Z]{3}\.[0-9A-Z]{3}/[0-9A-Z]{4}-\d{2}\b"
    r"|(?<![\w.-])[0-9]{11}(?![\w-]|\.\w)"
)
# By the area codes that there are: no GTIN of Brazil (789) looks like one.
MOBILE = re.compile(
    r"(?:1[1-9]|2[12478]|3[1-578]|4[1-9]|5[1345]|6[1-9]|7[134579]|8[1-9]|9[1-9])9[0-9]{8}"
)


def without_secrets(value: Any, known: Collection[str] = ()) -> Any:
    """The same, without what is called a secret, and without the `known` ones wherever they
    stand."""
    words = {
        word for secret in known for word in (secret, *secret.split()) if len(word) >= LEAST_SECRET
    }

    def clean(text: str) -> str:
        for word in sorted(words, key=len, reverse=True):
            text = text.replace(word, MASK)
        for pattern in SECRETS_IN_TEXT:
            text = pattern.sub(rf"\1\2{MASK}", text)
        return text

    return _masked(value, lambda key, _within: SECRET_KEY.fullmatch(key) is not None, clean)


def without_people(value: Any, known: Collection[str] = ()) -> Any:
    """The same, without names, documents, and where somebody lives or is reached. Products keep
    their names; a city and a state name nobody. What is `known` of people (`people_in`) is looked
    for in every text as well: who refuses an order quotes it."""
    patterns = _patterns_of(known)

    def clean(text: str) -> str:
        text = PEOPLE_IN_TEXT.sub(_unless_a_code, text)
        for pattern in patterns:
            text = pattern.sub(MASK, text)
        return text

    return _masked(value, _is_personal, clean)


def _unless_a_code(found: re.Match[str]) -> str:
    """Eleven digits are a CPF or a mobile telephone; else somebody's SKU, which is to be read."""
    text = found[0]
    is_code = text.isdigit() and not cpf_is_valid(text) and not MOBILE.fullmatch(text)
    return text if is_code else MASK


def people_in(value: Any, within: bool = False, depth: int = 0) -> set[str]:
    """What it says of people, at the places that are known for it."""
    if depth > DEEPEST:
        return set()
    if isinstance(value, list | tuple):
        return {text for each in value for text in people_in(each, within, depth + 1)}
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, each in value.items():
        if isinstance(each, dict | list | tuple):
            found |= people_in(each, within or bool(PERSON.fullmatch(str(key))), depth + 1)
        elif each and _is_personal(str(key), within):
            found.add(str(each).strip())
    return found - {MASK}


def _is_personal(key: str, within: bool) -> bool:
    found = PERSONAL_KEY.fullmatch(key) or (within and WITHIN_PERSON.fullmatch(key))
    return bool(found)


def _patterns_of(known: Collection[str]) -> list[re.Pattern[str]]:
    """A number is found however it is written; a name only as a whole word."""
    patterns = []
    for text in sorted((each for each in known if len(each) <= LONGEST), key=len, reverse=True):
        written = compact(text)
        number = written if cnpj_is_valid(written) else re.sub(r"\D", "", text)
        if number != written and re.search(r"[^\W\d]", text):
            if len(text) >= LEAST_NAME:
                patterns.append(re.compile(rf"(?<!\w){re.escape(text)}(?!\w)", re.IGNORECASE))
        elif len(number) >= LEAST_NUMBER:
            found = r"(?<!\d)" + r"\W{0,2}".join(number) + r"(?!\d)"
            patterns.append(re.compile(found, re.IGNORECASE))
    return patterns


def _masked(
    value: Any,
    is_hidden: Callable[[str, bool], bool],
    clean: Callable[[str], str],
    within: bool = False,
    depth: int = 0,
) -> Any:
    """`within`: inside of an object that is a person."""
    if depth > DEEPEST:
        return MASK
    if isinstance(value, dict):
        return {
            key: MASK
            if is_hidden(str(key), within) and each and not isinstance(each, dict | list)
            else _masked(
                each, is_hidden, clean, within or bool(PERSON.fullmatch(str(key))), depth + 1
            )
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_masked(each, is_hidden, clean, within, depth + 1) for each in value]
    return clean(value) if isinstance(value, str) else value
