"""What people call the columns of a log in other languages, and in scripts that put no blanks between words."""

from __future__ import annotations

import re
from functools import lru_cache

# Spelt as `str.casefold` leaves them; what is not here stays as it is.
WORDS: dict[str, tuple[str, ...]] = {
    "loss": (
        "verlust", "perte", "pertes", "pérdida", "pérdidas", "perdida", "perda", "perdita", "verlies", "förlust", "tap",
        "strata", "straty", "ztráta", "kayıp", "kayip", "потери", "потеря", "потерь", "лосс", "ошибка", "втрати",
        "損失", "损失", "ロス", "誤差", "손실", "로스", "häviö", "veszteség", "gubitak",
        "kerugian", "pierdere", "загуба",
        "خسارة", "هزینه", "απώλεια",
    ),
    "train": (
        "entraînement", "entrainement", "apprentissage", "entrenamiento", "treino", "treinamento", "addestramento",
        "träning", "eğitim", "обучение", "обучения", "тренировка", "трейн", "训练", "訓練", "学習", "學習", "훈련",
        "학습",
    ),
    "val": (
        "validierung", "validación", "validacion", "validação", "validacao", "validazione", "validering", "doğrulama",
        "валидация", "валидации", "验证", "驗證", "検証", "검증",
    ),
    "test": ("prueba", "teste", "prova", "тест", "теста", "测试", "測試", "テスト", "테스트"),
    "mean": ("durchschnitt", "mittel", "mittlerer", "moyenne", "promedio", "media", "средняя", "平均", "평균"),
    "total": ("gesamt", "totale", "общая", "总", "總", "合計", "전체"),
    "epoch": (
        "epoche", "époque", "epoque", "época", "epoca", "epok", "epoka", "эпоха", "эпохи", "轮次", "輪次", "轮",
        "エポック",
        "에포크", "에폭",
    ),
    "step": (
        "schritt", "étape", "etape", "pas", "paso", "passo", "steg", "krok", "adım", "шаг", "步数", "步數", "步骤",
        "步",
        "ステップ", "스텝",
    ),
    "iteration": ("itération", "iteración", "iteracion", "iteração", "iterazione", "итерация", "迭代", "반복", "反復"),
    "batch": ("批次", "バッチ", "배치", "батч"),
    "lr": ("lernrate", "学习率", "學習率", "学習率", "학습률"),
}  # fmt: skip
# "Trainingsverlust" is one word.
COMPOUNDS = re.compile(r"(trainings?|validierungs|test|gesamt)(verlust|fehler)")
LEARNING_RATE = re.compile(
    r"taux d ?apprentissage|tasa de aprendizaje|taxa de aprendizado|tasso di apprendimento|скорость обучения"
    r"|öğrenme oranı|темп обучения"
)
ENGLISH = {word: english for english, words in WORDS.items() for word in words}
# The longest first: 学习率 is the rate, and holds no other word.
UNSPACED = re.compile(
    "|".join(
        sorted((word for word in ENGLISH if re.match(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", word)), key=len)[
            ::-1
        ]
    )
)


@lru_cache(maxsize=4096)
def in_english(text: str) -> str:
    """Return a lower-case name with the words that are known in English, blanks between them.

    Parameters
    ----------
    text : str
        Words with blanks between them.

    Returns
    -------
    str
    """
    if text.isascii():
        return COMPOUNDS.sub(r"\1 \2", text).replace("fehler", "loss") if "fehler" in text else _each(text)
    text = LEARNING_RATE.sub(" lr ", text.casefold())
    return _each(UNSPACED.sub(lambda found: f" {ENGLISH[found[0]]} ", text))


def _each(text: str) -> str:
    words = COMPOUNDS.sub(r"\1 \2", LEARNING_RATE.sub(" lr ", text)).split()
    return " ".join(ENGLISH.get(word, {"trainings": "train", "validierungs": "val"}.get(word, word)) for word in words)
