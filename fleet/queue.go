package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Names in JetStream.
const (
	jobs        = "I2SB_JOBS"
	jobSubject  = "i2sb.jobs."
	dead        = "I2SB_DEAD"
	deadSubject = "i2sb.dead."
	consumer    = "workers"
	inputs      = "I2SB_INPUTS"
	results     = "I2SB_RESULTS"
	records     = "I2SB_RECORDS"
	leases      = "I2SB_LEASES"
)

// Options are how a Queue is made where it does not exist yet.
type Options struct {
	Replicas int           // of everything that is stored; 0: 1
	Wait     time.Duration // until a job whose worker is silent is given to another; 0: 30 s
	Attempts int           // after which a job is dead; 0: 5
	Pending  int           // jobs that all workers hold at once; 0: 256
	Creds    string        // credentials file of NATS, or ""
}

func (o Options) withDefaults() Options {
	o.Replicas = max(o.Replicas, 1)
	if o.Wait <= 0 {
		o.Wait = 30 * time.Second
	}
	if o.Attempts <= 0 {
		o.Attempts = 5
	}
	if o.Pending <= 0 {
		o.Pending = 256
	}
	return o
}

// Queue is the jobs, pictures and results of a fleet.
type Queue struct {
	o       Options
	conn    *nats.Conn
	js      jetstream.JetStream
	jobs    jetstream.Consumer
	dead    jetstream.Stream
	inputs  jetstream.ObjectStore
	results jetstream.ObjectStore
	records jetstream.KeyValue
	leases  jetstream.KeyValue
}

// Open connects to a server or cluster and makes what is not there yet. A
// connection that is lost comes back by itself.
func Open(ctx context.Context, url string, o Options) (*Queue, error) {
	q := &Queue{o: o.withDefaults()}
	opts := []nats.Option{nats.Name("i2sb"), nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond),
		nats.PingInterval(5 * time.Second), nats.MaxPingsOutstanding(2), nats.Timeout(5 * time.Second)}
	if o.Creds != "" {
		opts = append(opts, nats.UserCredentials(o.Creds))
	}
	var err error
	if q.conn, err = nats.Connect(url, opts...); err != nil {
		return nil, fmt.Errorf("NATS at %s: %w; start one, or give --nats embedded", url, err)
	}
	if q.js, err = jetstream.New(q.conn); err == nil {
		err = q.make(ctx)
	}
	if err != nil {
		q.Close()
		return nil, fmt.Errorf("NATS at %s: %w", url, err)
	}
	return q, nil
}

func (q *Queue) make(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	s, err := q.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: jobs, Subjects: []string{jobSubject + "*"},
		Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage, Replicas: q.o.Replicas, Duplicates: time.Hour})
	if err != nil {
		return err
	}
	q.jobs, err = s.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{Durable: consumer, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: q.o.Wait, MaxAckPending: q.o.Pending, MaxDeliver: -1}) // the worker counts, and writes a letter
	if err != nil {
		return err
	}
	q.dead, err = q.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: dead, Subjects: []string{deadSubject + "*"},
		Storage: jetstream.FileStorage, Replicas: q.o.Replicas, MaxMsgsPerSubject: 1})
	if err != nil {
		return err
	}
	for name, to := range map[string]*jetstream.ObjectStore{inputs: &q.inputs, results: &q.results} {
		if *to, err = q.js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: name, Storage: jetstream.FileStorage, Replicas: q.o.Replicas}); err != nil {
			return err
		}
	}
	if q.records, err = q.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: records, Storage: jetstream.FileStorage, Replicas: q.o.Replicas}); err != nil {
		return err
	}
	q.leases, err = q.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: leases, Storage: jetstream.FileStorage, Replicas: q.o.Replicas, TTL: leftAfter})
	return err
}

// Close closes the connection.
func (q *Queue) Close() {
	if q.conn != nil {
		q.conn.Close()
	}
}

// Counts are how far a fleet has come.
type Counts struct {
	Waiting uint64 // jobs that no worker holds
	Held    uint64 // jobs that workers hold
	Done    uint64 // results
	Dead    uint64 // letters
}

// Counts asks for the present counts.
func (q *Queue) Counts(ctx context.Context) (c Counts, err error) {
	i, err := q.jobs.Info(ctx)
	if err != nil {
		return c, err
	}
	d, err := q.dead.Info(ctx)
	if err != nil {
		return c, err
	}
	s, err := q.records.Status(ctx)
	if err != nil {
		return c, err
	}
	return Counts{Waiting: i.NumPending, Held: uint64(i.NumAckPending), Done: s.Values(), Dead: d.State.Msgs}, nil
}

// done tells whether a job has its record.
func (q *Queue) done(ctx context.Context, id string) (done bool, err error) {
	err = patient(ctx, 0, func(ctx context.Context) error {
		_, err := q.records.Get(ctx, id)
		done = err == nil
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			return nil
		}
		return err
	})
	return done, err
}

// patient repeats what may have been lost with a connection. Each attempt has
// its own time: an object store waits for answers that do not come any more.
func patient(ctx context.Context, bytes int, f func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		once, cancel := context.WithTimeout(ctx, 3*time.Second+time.Duration(bytes/(1<<20))*time.Second)
		err := f(once)
		cancel()
		if err == nil || ctx.Err() != nil || attempt == 20 || !passing(err) {
			return err
		}
		sleep(ctx, 500*time.Millisecond)
	}
}

// passing tells whether an error is about the way to the server.
func passing(err error) bool {
	for _, e := range []error{context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrConnectionReconnecting, nats.ErrDisconnected,
		jetstream.ErrNoStreamResponse, jetstream.ErrNoHeartbeat} {
		if errors.Is(err, e) {
			return true
		}
	}
	var api *jetstream.APIError
	return errors.As(err, &api) && api.Code == 503
}

// put stores an object.
func put(ctx context.Context, to jetstream.ObjectStore, name string, b []byte) (info *jetstream.ObjectInfo, err error) {
	err = patient(ctx, len(b), func(ctx context.Context) (err error) {
		info, err = to.PutBytes(ctx, name, b)
		return err
	})
	return info, err
}
