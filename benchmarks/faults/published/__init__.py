"""Small programs re-created in PyTorch from the facts of published bugs: each as it was asked about, and as mended.

The facts (layers, last activation, loss, optimiser, what was wrong) are those of questions on Stack Overflow and of
issues that earlier studies collected: DeepLocalize (Wardat et al. 2021), DeepFD (Cao et al. 2022), deepmufl (Ghanbari
et al. 2023), TheDeepChecker (Braiek and Khomh 2022) and TrainCheck (Jiang et al. 2025). The code is our own, made
smaller, on made data of the same form; each program names its source.
"""
