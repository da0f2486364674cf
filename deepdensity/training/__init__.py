"""Training of one network on its data: phases, batches, rates, and what guards them.

``trainer`` runs the phases, ``decoder`` the last one; ``phase_net`` has the skorch nets
and the only training loop. ``batches``, ``views`` and ``schedules`` say what a step
sees and at which rate; ``guard``, ``progress`` and ``interruption`` watch over it,
``compilation`` and ``cuda_graphs`` make it fast. ``callback_checks`` refuses what
callbacks cannot do here, ``inference`` is what needs no gradient.
"""
