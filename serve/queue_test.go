package serve

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func waiting(client string, w int, at int) *job {
	return &job{client: client, cost: float64(w), shape: shape{model: "m", w: w, h: 1}, entered: time.Unix(int64(at), 0)}
}

func pushed(t *testing.T, q *queue, jobs ...*job) {
	t.Helper()
	for _, j := range jobs {
		if gone, err := q.push(j); gone != nil || err != nil {
			t.Fatal(gone, err)
		}
	}
}

func order(q *queue, n int) (s string) {
	for range n {
		s += q.pop(1, 0)[0].client
	}
	return s
}

func TestClientsShareTheDevice(t *testing.T) {
	q := newQueue(100, 1e9, 1, 0)
	for i := range 6 {
		pushed(t, q, waiting("a", 1, i))
	}
	pushed(t, q, waiting("b", 1, 6), waiting("b", 1, 7), waiting("c", 3, 8), waiting("c", 3, 9))
	// By work: one picture of c costs as much as three of the others.
	if got := order(q, 10); got != "abcabaacaa" {
		t.Error(got)
	}
	// Who has been away has no credit, who comes again at once no advantage.
	pushed(t, q, waiting("a", 1, 0), waiting("a", 1, 1))
	got := order(q, 1)
	pushed(t, q, waiting("d", 5, 2))
	got += order(q, 1)
	pushed(t, q, waiting("d", 1, 3), waiting("a", 1, 4), waiting("a", 1, 5))
	if got += order(q, 4); got != "adaaad" {
		t.Error(got)
	}
}

func TestTheLongestLineGivesWay(t *testing.T) {
	q := newQueue(4, 1e9, 1, 0)
	var last *job
	for i := range 4 {
		last = waiting("a", 1, i)
		pushed(t, q, last)
	}
	if gone, err := q.push(waiting("a", 1, 4)); gone != nil || !errors.Is(err, errFull) {
		t.Errorf("a's own: %v %v", gone, err)
	}
	if gone, err := q.push(waiting("b", 1, 5)); gone != last || err != nil {
		t.Errorf("b's first: %v %v", gone, err)
	}
	if gone, err := q.push(waiting("b", 1, 6)); gone == nil || err != nil {
		t.Errorf("b's second: %v %v", gone, err)
	}
	if gone, err := q.push(waiting("b", 1, 7)); gone != nil || !errors.Is(err, errFull) {
		t.Errorf("b's third: %v %v", gone, err)
	}
	if n, _ := q.length(); n != 4 {
		t.Errorf("%d wait", n)
	}
}

func TestEqualSizesGoTogether(t *testing.T) {
	q := newQueue(100, 10, 1, 0)
	for i := range 12 {
		pushed(t, q, waiting(fmt.Sprint(i), 1+i%2*2, i))
	}
	var sizes []int
	for n := 0; n < 12; {
		group := q.pop(4, time.Millisecond)
		for _, j := range group {
			if j.shape != group[0].shape {
				t.Error("shapes are mixed")
			}
		}
		n += len(group)
		sizes = append(sizes, len(group))
	}
	if fmt.Sprint(sizes) != "[4 3 3 2]" { // three of 3 pixels fill a group of 10
		t.Error(sizes)
	}
}

func TestAPlaceIsLeft(t *testing.T) {
	q := newQueue(2, 1e9, 1, 0)
	a, b := waiting("a", 1, 0), waiting("b", 1, 1)
	pushed(t, q, a, b)
	if !q.remove(a) || q.remove(a) {
		t.Error("a was not taken out once")
	}
	pushed(t, q, waiting("c", 1, 2))
	if got := order(q, 2); got != "bc" {
		t.Error(got)
	}
	q.close()
	if q.pop(1, 0) != nil {
		t.Error("a closed queue gives jobs")
	}
	if _, err := q.push(a); !errors.Is(err, errClosed) {
		t.Error(err)
	}
}

// A queue is full of work, too, and fair in that: who has fewer pictures in it
// takes a place.
func TestTheWaitIsBounded(t *testing.T) {
	q := newQueue(100, 1e9, 2, time.Minute)
	pushed(t, q, waiting("a", 1000, 0)) // nothing is known yet
	for range 100 {
		q.served(10, 5*time.Second) // a pixel takes half a second
	}
	if n, wait := q.length(); n != 1 || wait.Round(time.Second) != 250*time.Second {
		t.Errorf("%d wait, a newcomer would for %v", n, wait)
	}
	if gone, err := q.push(waiting("b", 1, 1)); gone != nil || !errors.Is(err, errFull) {
		t.Errorf("%v %v", gone, err)
	}
	q.pop(1, 0)
	pushed(t, q, waiting("a", 100, 2), waiting("a", 100, 3), waiting("a", 100, 4))
	if gone, err := q.push(waiting("a", 1, 5)); gone != nil || !errors.Is(err, errFull) {
		t.Errorf("a's own: %v %v", gone, err)
	}
	if gone, err := q.push(waiting("b", 1, 6)); gone == nil || gone.entered != time.Unix(4, 0) || err != nil {
		t.Errorf("b's: %v %v", gone, err)
	}
	if n, wait := q.length(); n != 3 || wait.Round(time.Millisecond) != 50250*time.Millisecond {
		t.Errorf("%d wait, a newcomer would for %v", n, wait)
	}
}
