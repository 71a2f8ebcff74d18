"""Made texts that a small net learns: a mood that two words of each text give away."""

from __future__ import annotations

import random

import polars

HAPPY = "good great superb lovely fine moving bright".split()
SAD = "bad awful dull poor weak boring flat".split()
FILLING = "the film was a story of people and their city in winter it with".split()


def reviews(n: int, seed: int = 1) -> polars.DataFrame:
    """(id, author, review, mood, stars) of n reviews, no two alike."""
    draw = random.Random(seed)
    rows = []
    for k in range(n):
        happy = k % 2 == 0
        words = draw.choices(FILLING, k=draw.randint(4, 12))
        for word in draw.choices(HAPPY if happy else SAD, k=2):
            words.insert(draw.randint(0, len(words)), word)
        stars = round(3.5 + draw.random() if happy else 1 + draw.random(), 2)
        rows.append((k + 1, f"author-{k % 7}", f"{' '.join(words)} no{k}", "happy" if happy else "sad", stars))
    columns = ("id", "author", "review", "mood", "stars")
    frame = polars.DataFrame(rows, schema=columns, orient="row")
    return frame.select("id", "author", "review", "mood", "stars")
