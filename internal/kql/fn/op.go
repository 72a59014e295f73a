package fn

// Op is a scalar operation of a plan, after overloads are resolved.
type Op uint16

// Aggregate is an aggregate function of a plan.
type Aggregate uint8
