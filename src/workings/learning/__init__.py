"""How nets learn: losses, initialisation, optimisers, rules, lanes, the loop, metrics."""
