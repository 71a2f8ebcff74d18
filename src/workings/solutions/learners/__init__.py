"""One step of each way of learning, worked through: ``gradient`` of one loss │ ``perceptron`` │ ``contrastive``
divergence │ ``adversarial``, two players │ ``layerwise``, the stages before the whole net │ ``real`` the run's own
rule in float64, which all of them are compared with │ ``working`` what they share.
"""
