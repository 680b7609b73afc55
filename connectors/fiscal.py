"""Brazilian fiscal numbers (domain.md, section 4): CPF, CNPJ, letters included, and NF-e key."""

import re

CNPJ_PATTERN = r"^[0-9A-Z]{12}[0-9]{2}$"
NFE_KEY_PATTERN = r"^[0-9]{6}[0-9A-Z]{12}[0-9]{26}$"


def compact(text: str) -> str:
    """Without mask or blanks, upper case. Letters stay: dropping them makes two companies one."""
    return re.sub(r"[\s./\-]", "", text).upper()


def cnpj_is_valid(cnpj: str) -> bool:
    """Takes the compact form. Zeros alone add up, but are nobody's number."""
    if not re.fullmatch(CNPJ_PATTERN, cnpj) or set(cnpj) == {"0"}:
        return False
    return cnpj[12:] == check_digit(cnpj[:12]) + check_digit(cnpj[:13])


def cpf_is_valid(cpf: str) -> bool:
    """Takes the compact form. One digit eleven times adds up, but is nobody's number."""
    if not re.fullmatch(r"[0-9]{11}", cpf) or len(set(cpf)) == 1:
        return False
    for length in (9, 10):
        total = sum(int(digit) * (length + 1 - at) for at, digit in enumerate(cpf[:length]))
        if int(cpf[length]) != total * 10 % 11 % 10:
            return False
    return True


def punctuated(document: str) -> str:
    """A CPF or a CNPJ as people write it; as it came where it is neither."""
    known = compact(document)
    if cpf_is_valid(known):
        return f"{known[:3]}.{known[3:6]}.{known[6:9]}-{known[9:]}"
    if cnpj_is_valid(known):
        return f"{known[:2]}.{known[2:5]}.{known[5:8]}/{known[8:12]}-{known[12:]}"
    return document


def nfe_key_is_valid(key: str) -> bool:
    """Takes the compact form of 44 characters; checks its shape and its last digit."""
    return bool(re.fullmatch(NFE_KEY_PATTERN, key)) and key[43] == check_digit(key[:43])


def check_digit(body: str) -> str:
    """Modulo 11, weights 2 to 9 from the right, over and over; a letter is its ASCII code - 48."""
    total = sum((ord(char) - 48) * (2 + index % 8) for index, char in enumerate(reversed(body)))
    digit = 11 - total % 11
    return "0" if digit > 9 else str(digit)
