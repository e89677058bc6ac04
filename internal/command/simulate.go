package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"stopgrad/internal/report"
	"stopgrad/numeric/flow"
	"stopgrad/numeric/ode"
)

// tablePoints is the number of times in a table for people; data for programs has flow.DefaultPoints.
const tablePoints = 11

type simulateCommand struct {
	Flow   string  `arg:"" help:"Name of a flow: lemma1 simsiam nopredictor nostopgrad symmetrised reduced decoupled modes parabola."`
	State  string  `required:"" placeholder:"FILE" help:"State file (JSON), - for standard input; its t is the start."`
	T      float64 `name:"t" required:"" placeholder:"TIME" help:"End of the simulation."`
	JSON   bool    `name:"json" xor:"format" help:"Write states and measures as JSON."`
	CSV    bool    `name:"csv" xor:"format" help:"Write states and measures as CSV."`
	Points int     `default:"0" help:"Number of equidistant times; 0 is 101, and 11 for a table."`
	Method string  `default:"auto" help:"Method of integration: auto (explicit, implicit where the flow is stiff), verner8, dp54, radau5."`
}

// Run integrates the flow.
func (s *simulateCommand) Run(c *console) error {
	f, err := flow.ByName(s.Flow)
	if err != nil {
		return badInput(err)
	}
	if s.Points < 0 {
		return &exit{BadInput, fmt.Sprintf("--points=%d is negative", s.Points)}
	}
	state, err := readFlowState(c, s.State)
	if err != nil {
		return err
	}
	points := s.Points
	if points == 0 && !s.JSON && !s.CSV {
		points = tablePoints
	}
	method, err := ode.ParseMethod(s.Method)
	if err != nil {
		return badInput(err)
	}
	tr, err := flow.Simulate(c.ctx, f, state, s.T, &flow.Settings{Points: points, ODE: ode.Settings{Method: method}})
	if tr == nil {
		return badInput(err)
	}
	for _, w := range tr.Switches {
		fmt.Fprintf(c.stderr, "stopgrad: the flow is stiff from t = %.6g on: %v goes over to %v (--method forces one)\n", w.T, w.From, w.To)
	}
	for _, l := range tr.Losses {
		fmt.Fprintf(c.stderr, "stopgrad: %v\n", l)
	}
	cut := errors.Is(err, context.Canceled)
	if err != nil && !cut {
		return &exit{Difference, err.Error()}
	}
	if werr := c.write(func(w io.Writer) error {
		switch {
		case s.JSON:
			data, err := json.Marshal(tr)
			if err == nil {
				_, err = w.Write(append(data, '\n'))
			}
			return err
		case s.CSV:
			return tr.WriteCSV(w)
		}
		return report.Trajectory(w, tr, c.page())
	}); werr != nil {
		return werr
	}
	if cut {
		return interrupted("%d of the times are reached", len(tr.T))
	}
	return nil
}

// readFlowState reads the state of a flow from a file, or from standard input for "-".
func readFlowState(c *console, path string) (*flow.State, error) {
	return input(c, path, func() (s *flow.State, err error) {
		if path == "-" {
			s, err = flow.DecodeState(c.stdin, "standard input")
		} else {
			s, err = flow.ReadStateFile(path)
		}
		if err != nil {
			return nil, badInput(err)
		}
		return s, nil
	})
}
