"""Solutions: one learning step of any network, worked through like a textbook page, every line checked.

``expressions`` what a line says │ ``notation``, ``text``, ``latex``, ``mathml`` how it is written │ ``rounding``,
``reading`` how its digits are chosen and held to account │ ``record`` what the net really did, in ``calls`` │ ``rules``
what the textbook says each operation does │ ``flowing`` the gradient on its way back │ ``solving`` both put side by
side, as a tree of ``steps`` │ ``pages`` the tree as a page │ ``show`` the door for any ``nn.Module``, ``of_run`` that
for a trained run │ ``learners`` each way in which runs learn │ ``paths`` which entries are worked out.
"""
