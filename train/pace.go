package train

import "time"

// window is how far back the pace is measured.
const window = 20 * time.Second

// pace is the speed of the last steps.
type pace struct {
	at     []time.Time
	images []int
}

func (p *pace) add(images int) {
	now := time.Now()
	p.at, p.images = append(p.at, now), append(p.images, images)
	for len(p.at) > 2 && now.Sub(p.at[0]) > window {
		p.at, p.images = p.at[1:], p.images[1:]
	}
}

// perSecond is 0 until there are two steps.
func (p *pace) perSecond() float64 {
	n := len(p.at)
	if n < 2 {
		return 0
	}
	sum := 0
	for _, k := range p.images[1:] {
		sum += k
	}
	return float64(sum) / max(1e-9, p.at[n-1].Sub(p.at[0]).Seconds())
}

// left is how long so many steps will take, 0 if that is not known.
func (p *pace) left(steps int) time.Duration {
	n := len(p.at)
	if n < 2 {
		return 0
	}
	return p.at[n-1].Sub(p.at[0]) / time.Duration(n-1) * time.Duration(steps)
}
