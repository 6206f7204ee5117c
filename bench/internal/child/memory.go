package child

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Status reads a number of /proc/PID/status, such as VmRSS or VmHWM in KiB, or
// Threads; 0 where there is none.
func (p *Process) Status(name string) int64 {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if v, ok := strings.CutPrefix(s.Text(), name+":"); ok {
			var n int64
			_, _ = fmt.Sscan(v, &n)
			return n
		}
	}
	return 0
}

// Files counts a process's open files and connections.
func (p *Process) Files() int {
	all, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Process.Pid))
	return len(all)
}

// Memory is a series of a process's resident memory, in MiB.
type Memory struct {
	mu   sync.Mutex
	each []float64
}

// Watch samples a process's memory every so often until the context ends.
func (p *Process) Watch(ctx context.Context, every time.Duration) *Memory {
	m := &Memory{}
	go func() {
		for t := time.NewTicker(every); ; {
			if v := p.Status("VmRSS"); v > 0 {
				m.mu.Lock()
				m.each = append(m.each, float64(v)/1024)
				m.mu.Unlock()
			}
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
				return
			}
		}
	}()
	return m
}

// Part is the median over a part of the series, from and to in 0 to 1.
func (m *Memory) Part(from, to float64) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := float64(len(m.each))
	part := slices.Clone(m.each[int(from*n):int(to*n)])
	if len(part) == 0 {
		return 0
	}
	slices.Sort(part)
	return part[len(part)/2]
}

// Peak is the most that was seen.
func (m *Memory) Peak() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Max(append([]float64{0}, m.each...))
}
