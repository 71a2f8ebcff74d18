"""Writing a tree in any notation: one walk, which knows when brackets are needed; a notation knows its own marks.

Binding, from loose to tight: 1 sum, 2 product, 3 negative, 4 power, 5 atom.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from workings.solutions.evaluation import evaluate
from workings.solutions.expressions import (
    Entry,
    Expr,
    Function,
    Iverson,
    Joined,
    Negative,
    Number,
    Power,
    Product,
    Quantity,
    Quotient,
    Rest,
    Sum,
    SumOver,
    Symbol,
)
from workings.solutions.rounding import Printed, printed


def parted(letter: str, index: str) -> tuple[str, str]:
    """A letter that carries an index of its own, w₁, and the index: both as letter and index, w and 1."""
    base = letter.rstrip("₀₁₂₃₄₅₆₇₈₉")
    own = letter[len(base) :].translate(_FROM_BELOW)
    return (letter, index) if not base else (base, ",".join(filter(None, (own, index))))


_FROM_BELOW = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


class Notation(ABC):
    """The marks of one way of writing. Every method takes and gives written pieces."""

    times: str
    plus: str
    minus: str
    opening = "("
    closing = ")"
    fraction_is_atom = False

    @abstractmethod
    def number(self, shown: Printed, entry: Entry | None) -> str: ...

    @abstractmethod
    def symbol(self, letter: str, layer: str, index: str, new: bool = False) -> str: ...

    @abstractmethod
    def derivative(self, of: str) -> str: ...

    @abstractmethod
    def bracket(self, inner: str) -> str: ...

    @abstractmethod
    def fraction(self, above: str, below: str) -> str: ...

    @abstractmethod
    def power(self, base: str, exponent: Expr, written: str) -> str: ...

    @abstractmethod
    def function(self, name: str, arguments: list[str]) -> str: ...

    @abstractmethod
    def iverson(self, left: str, relation: str, right: str) -> str: ...

    @abstractmethod
    def rest(self, shown: Printed | None, count: int) -> str: ...

    @abstractmethod
    def sum_over(self, index: str, body: str) -> str: ...

    @abstractmethod
    def operator(self, mark: str) -> str: ...

    def join(self, parts: list[str]) -> str:
        """Pieces beside each other."""
        return "".join(parts)

    def quantity(self, q: Quantity, index: tuple[int, ...] | None = None) -> str:
        """A tensor's symbol, or that of one of its entries."""
        shown = "" if index is None or (q.data.numel() == 1 and q.plain) else ",".join(map(str, q.shown(index)))
        if q.gradient_of is not None and not q.letter:
            return self.derivative(self.quantity(q.gradient_of, index))
        return self.symbol(q.letter, q.layer, shown, q.new)


def write(e: Expr, how: Notation, *, numbers: bool, digits: int) -> str:
    """The tree, with numbers put in or with symbols."""
    return _Writer(how, numbers, digits).write(e)[0]


ROOM = 66  # characters in a row that a narrow page can hold


def write_rows(e: Expr, how: Notation, *, numbers: bool, digits: int) -> list[str]:
    """The tree in rows that a narrow page can hold: long sums are cut between their terms, in brackets too."""
    rows: list[list[str]] = [[]]
    filled = 0
    for piece, size in _Writer(how, numbers, digits).pieces(e):
        if rows[-1] and filled + size > ROOM:
            rows.append([])
            filled = 0
        rows[-1].append(piece)
        filled += size
    return [how.join(row) if len(row) > 1 else row[0] for row in rows]


class _Writer:
    def __init__(self, how: Notation, numbers: bool, digits: int) -> None:
        self.how, self.numbers, self.digits = how, numbers, digits

    def tight(self, e: Expr, least: int) -> str:
        """Written, in brackets where it binds more loosely than ``least``."""
        written, binding = self.write(e)
        return written if binding >= least else self.how.bracket(written)

    def write(self, e: Expr) -> tuple[str, int]:
        how = self.how
        match e:
            case Number(value):
                return self.number(value, None)
            case Entry():
                return self.number(e.value, e) if self.numbers else (how.quantity(e.of, e.index), 5)
            case Symbol(letter, layer, index, new):
                return how.symbol(letter, layer, index, new), 5
            case Rest(count, value):
                if not self.numbers:
                    return how.rest(None, count), 5
                written = how.rest(printed(value, self.digits), count)
                return written, 3 if value < 0 else 5
            case Sum(terms):
                return self.sum(terms), 1
            case Product(factors):
                first, *others = factors
                # A leading negative number needs no brackets by itself; the sum around it sees to that.
                parts = [self.tight(first, 3), *(self.tight(f, 4) for f in others)]
                loose = 3 if self.write(first)[1] == 3 else 2
                return how.join(self.between(parts, how.operator(how.times))), min(loose, 2)
            case Quotient(above, below):
                if how.fraction_is_atom:
                    return how.fraction(self.write(above)[0], self.write(below)[0]), 4
                return how.fraction(self.tight(above, 2), self.tight(below, 4)), 2
            case Power(base, exponent):
                return how.power(self.tight(base, 5), exponent, self.write(exponent)[0]), 4
            case Negative(of):
                inner = how.bracket(self.write(of)[0]) if self.leads_negative(of) else self.tight(of, 2)
                return how.join([how.operator(how.minus), inner]), 3
            case Function(name, arguments):
                return how.function(name, [self.write(a)[0] for a in arguments]), 5 if name != "exp" else 4
            case Iverson(left, relation, right):
                return how.iverson(self.write(left)[0], relation, self.write(right)[0]), 5
            case SumOver(index, body):
                return how.sum_over(index, self.tight(body, 2)), 2
            case Joined(parts, operator):
                return how.join(self.between([self.tight(p, 2) for p in parts], how.operator(operator))), 2
        raise TypeError(type(e).__name__)

    def width(self, e: Expr) -> int:
        """About how many characters wide the tree is."""
        match e:
            case Sum(parts) | Product(parts) | Joined(parts, _):
                return sum(self.width(part) + 3 for part in parts)
            case Function(name, parts):
                return len(name) + 2 + sum(map(self.width, parts))
            case Quotient(a, b):
                return max(self.width(a), self.width(b)) if self.how.fraction_is_atom else self.width(a) + self.width(b)
            case Power(a, b) | Iverson(a, _, b):
                return self.width(a) + self.width(b) + 2
            case Negative(a) | SumOver(_, a):
                return self.width(a) + 3
            case Entry() | Rest() if self.numbers:
                shown = printed(evaluate(e), self.digits)
                return len(shown.digits) + 2 * shown.digits.startswith("-") + 5 * (shown.power is not None)
            case Entry(of, index):
                return 4 + len(of.layer) // 2 + 2 * len(index) // 2
            case Rest():
                return 8
        return 2

    def pieces(self, e: Expr) -> list[tuple[str, int]]:
        """What must stay in one row, with its width; joined, they are the tree."""
        how = self.how
        if self.width(e) <= ROOM:
            return [(self.write(e)[0], self.width(e))]
        match e:
            case Sum(terms):
                first, *others = terms
                found = self.pieces(first) if self.width(first) > ROOM else [(self.tight(first, 2), self.width(first))]
                for term in others:
                    mark = how.operator(how.minus if isinstance(term, Negative) else how.plus)
                    found += self._follow(mark, term.of if isinstance(term, Negative) else term)
                return found
            case Quotient(above, below) if self.width(below) <= ROOM:
                part = how.fraction(how.number(Printed("1"), None), self.write(below)[0])
                return self._around(part + how.operator(how.times), above, "")
            case Product(factors):
                longest = max(range(len(factors)), key=lambda i: self.width(factors[i]))
                times = how.operator(how.times)
                before = "".join(self.tight(f, 4) + times for f in factors[:longest])
                after = "".join(times + self.tight(f, 4) for f in factors[longest + 1 :])
                return self._around(before, factors[longest], after)
            case Negative(of):
                return self._around(how.operator(how.minus), of, "")
        return [(self.write(e)[0], self.width(e))]

    def _follow(self, mark: str, term: Expr) -> list[tuple[str, int]]:
        if self.width(term) <= ROOM:
            return [(mark + self.follower(term), self.width(term))]
        if isinstance(term, (Sum, Negative)):
            return self._around(mark, term, "")
        (first, size), *others = self.pieces(term)
        return [(mark + first, size), *others]

    def _around(self, before: str, inside: Expr, after: str) -> list[tuple[str, int]]:
        """In brackets that may open in one row and close in another."""
        how, found = self.how, self.pieces(inside)
        found[0] = (before + how.opening + found[0][0], found[0][1])
        found[-1] = (found[-1][0] + how.closing + after, found[-1][1])
        return found

    def number(self, value: float, entry: Entry | None) -> tuple[str, int]:
        shown = printed(value, self.digits)
        binding = 3 if shown.digits.startswith("-") else 2 if shown.power is not None else 5
        return self.how.number(shown, entry), binding

    def sum(self, terms: tuple[Expr, ...]) -> str:
        how = self.how
        parts = [self.tight(terms[0], 2)]
        for term in terms[1:]:
            if isinstance(term, Negative):
                parts += [how.operator(how.minus), self.follower(term.of)]
            else:
                parts += [how.operator(how.plus), self.follower(term)]
        return how.join(parts)

    def follower(self, term: Expr) -> str:
        """A term that is not the first: one that begins with a minus goes into brackets."""
        written, binding = self.write(term)
        if isinstance(term, Product) and self.leads_negative(term) and not isinstance(term.factors[0], Product):
            parts = [self.how.bracket(self.write(term.factors[0])[0]), *(self.tight(f, 4) for f in term.factors[1:])]
            return self.how.join(self.between(parts, self.how.operator(self.how.times)))
        begins = binding == 3 or binding < 2 or self.leads_negative(term)
        return self.how.bracket(written) if begins else written

    def leads_negative(self, e: Expr) -> bool:
        match e:
            case Product(factors):
                return self.leads_negative(factors[0])
            case Quotient(above, _):
                return not self.how.fraction_is_atom and self.leads_negative(above)
            case Number() | Entry() | Rest():
                return self.numbers and evaluate(e) < 0
            case Negative():
                return True
        return False

    def between(self, parts: list[str], mark: str) -> list[str]:
        return [piece for i, part in enumerate(parts) for piece in ([mark, part] if i else [part])]
