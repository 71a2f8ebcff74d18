"""Training samples changed at random: images moved and mirrored, noise on the numbers of rows.

Sources: Simard et al. 2003; Bishop 1995 (noise as a penalty on curvature).
"""

from __future__ import annotations

from workings.doctor.cures.cure import Case, Cure

CAUSES = ("overfitting",)


def cures(case: Case) -> list[Cure]:
    """Augmentation of images that have none; noise on rows of tables."""
    if case.task == "unsupervised":
        return []
    if case.image and case.recipe.augmentation == "none":
        reason = "each image is seen moved a little, as more images would be"
        return [Cure("augmentation", "overfitting", reason, unset=("augmentation",))]
    if case.table and case.net_settings.get("noise") == 0:
        reason = "rows are never seen twice alike, so they cannot be learnt by heart"
        return [Cure("noise on the inputs", "overfitting", reason, net={"noise": 0.1})]
    return []
