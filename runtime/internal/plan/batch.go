package plan

import "slices"

// Batch is the plan for a batch of n.
func (p *Plan) Batch(n int) *Plan {
	q := *p
	q.Values = slices.Clone(p.Values)
	for i := range q.Values {
		q.Values[i].Shape.N = n
	}
	q.place()
	return &q
}
