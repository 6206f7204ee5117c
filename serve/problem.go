package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// problems are all that can be wrong, by their codes (RFC 9457). Codes are
// stable: programs may rely on them.
var problems = map[string]struct {
	status int
	title  string
}{
	"bad-parameter":      {http.StatusBadRequest, "A parameter has a value that cannot be used"},
	"bad-multipart":      {http.StatusBadRequest, "The multipart body cannot be read"},
	"cut-off":            {http.StatusBadRequest, "The body ended before its length"},
	"unauthorized":       {http.StatusUnauthorized, "A token is missing or wrong"},
	"cross-origin":       {http.StatusForbidden, "Pages of other origins may not use this server"},
	"not-found":          {http.StatusNotFound, "There is nothing at this path"},
	"no-such-model":      {http.StatusNotFound, "There is no such model"},
	"method-not-allowed": {http.StatusMethodNotAllowed, "This path has other methods"},
	"slow-client":        {http.StatusRequestTimeout, "The body came too slowly"},
	"too-many-bytes":     {http.StatusRequestEntityTooLarge, "The body is too large"},
	"too-many-pixels":    {http.StatusRequestEntityTooLarge, "The picture is too large"},
	"unsupported-type":   {http.StatusUnsupportedMediaType, "Bodies of this type are not read"},
	"bad-picture":        {http.StatusUnprocessableEntity, "The picture cannot be restored"},
	"queue-full":         {http.StatusTooManyRequests, "The queue is full"},
	"device-failed":      {http.StatusInternalServerError, "The device failed"},
	"internal":           {http.StatusInternalServerError, "Something went wrong in the server"},
	"closing":            {http.StatusServiceUnavailable, "The server is ending"},
	"deadline":           {http.StatusGatewayTimeout, "The deadline has passed"},
}

// cancelled is the code of requests whose client has gone; it is counted and
// logged, and nobody reads it.
const cancelled = "cancelled"

// Problem is an error as clients get it.
type Problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Code      string `json:"code"`
	Parameter string `json:"parameter,omitempty"`

	retry time.Duration
	cause error
}

func (p *Problem) Error() string { return p.Code + ": " + p.Detail }
func (p *Problem) Unwrap() error { return p.cause }

func problem(code, detail string, args ...any) *Problem {
	k := problems[code]
	return &Problem{Type: "urn:i2sb:problem:" + code, Title: k.title, Status: k.status, Detail: fmt.Sprintf(detail, args...), Code: code}
}

func badParameter(name, detail string, args ...any) *Problem {
	p := problem("bad-parameter", detail, args...)
	p.Parameter = name
	return p
}

// problemOf tells what an error means to the client.
func problemOf(ctx context.Context, err error) *Problem {
	var p *Problem
	var option *runtime.OptionError
	var task *runtime.TaskError
	var size *runtime.SizeError
	var device *runtime.DeviceError
	var format *picture.FormatError
	switch cause := context.Cause(ctx); {
	case errors.As(err, &p):
		return p
	case errors.Is(cause, errEnding), errors.Is(err, errClosed), errors.Is(err, runtime.ErrClosed):
		return ending()
	case errors.Is(cause, context.DeadlineExceeded):
		return problem("deadline", "the picture was not restored in time")
	case ctx.Err() != nil:
		return gone()
	case errors.As(err, &option):
		return badParameter(option.Option, "%v", err)
	case errors.As(err, &task):
		return badParameter("task", "%v", err)
	case errors.As(err, &size), errors.As(err, &format):
		return problem("bad-picture", "%v", err)
	case errors.As(err, &device):
		p = problem("device-failed", "the device failed, and so did the attempts to get over it")
	default:
		p = problem("internal", "see the server's log")
	}
	p.cause = err
	return p
}

func gone() *Problem {
	return &Problem{Status: 499, Code: cancelled, Detail: "the client went away, or did not read on"}
}

func ending() *Problem {
	p := problem("closing", "the server is ending; try again")
	p.retry = time.Second
	return p
}

// fail answers with a problem. To a client that went away there is no answer:
// one that only closed its sending side must not take an empty one for a result.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, p *Problem) {
	x := exchangeOf(r.Context())
	x.problem = p
	if p.Code == cancelled {
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(min(max(p.retry.Seconds(), 1), 600)))))
	}
	switch p.Code {
	case "slow-client", "too-many-bytes", "cut-off", "closing":
		h.Set("Connection", "close") // the rest of the body is not read
	}
	b, _ := json.Marshal(p) // strings and numbers
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(usualPace.grace))
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b)
	}
}
