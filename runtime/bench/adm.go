package bench

import "github.com/i2sb-go/i2sb/weights"

// ADM256 is the header that a float16 pack of ADM-256 would have, but for its
// chunks: the network can be timed, and its memory told, without a pack.
func ADM256() (weights.Header, error) {
	o, err := weights.ReadOptions([]byte("{}"))
	if err != nil {
		return weights.Header{}, err
	}
	h := weights.Header{Name: "adm256", Network: weights.ADM256(false), Bridge: o.Bridge, Encoding: weights.F16.String()}
	src, err := Random(h.Network)
	if err != nil {
		return weights.Header{}, err
	}
	for _, t := range src.Tensors() {
		h.Tensors = append(h.Tensors, weights.Entry{Name: t.Name, Shape: t.Shape, DType: t.DType.String()})
	}
	return h, nil
}
