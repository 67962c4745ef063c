"""Is a network a global optimum, and how far is it from one?

============  ====================================================================================
verification  verify: a certificate checked in exact arithmetic
cover         exact proof of a bound on all neurons, by a cover of space by cones
certificate   certify: is a network globally optimal, how far can it fall, which way; Certificate
own_faces     optimality within a network's own faces
kkt           the optimality conditions cone by cone, as the papers have them
stationarity  Clarke's condition, neuron by neuron
pricing       the most violated neuron, exactly or between bounds
============  ====================================================================================
"""
