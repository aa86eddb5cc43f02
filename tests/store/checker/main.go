// Reads the history of a store as JSON from standard input and says whether it is linearizable: Ok, Illegal or Unknown.
// With an argument it also draws the history there, as a page.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

const keys = 3

// What a key holds: nothing at revision 0.
type cell struct {
	Revision int    `json:"revision"`
	Value    string `json:"value"`
}

type condition struct {
	Key      int `json:"key"`
	Revision int `json:"revision"`
}

// A read has cells and the revision that they are of. A commit has writes (null deletes) and either its revision or the
// condition that did not hold, with the revision that its key had instead.
type operation struct {
	Client     int             `json:"client"`
	Call       int64           `json:"call"`
	Return     int64           `json:"return"`
	Group      string          `json:"group"`
	Read       bool            `json:"read"`
	Cells      map[int]cell    `json:"cells"`
	Conditions []condition     `json:"conditions"`
	Writes     map[int]*string `json:"writes"`
	Revision   int             `json:"revision"`
	Conflict   *condition      `json:"conflict"`
}

// A group's keys, and the latest revision that anything showed of it.
type state struct {
	At    int
	Cells [keys]cell
}

func read(s state, o operation) (bool, state) {
	for key, held := range s.Cells {
		if o.Cells[key] != held {
			return false, s
		}
	}
	s.At, o.Revision = o.Revision, s.At
	return s.At >= o.Revision, s
}

func commit(s state, o operation) (bool, state) {
	for _, asked := range o.Conditions {
		found := s.Cells[asked.Key].Revision
		if found == asked.Revision {
			continue
		}
		return o.Conflict != nil && *o.Conflict == condition{asked.Key, found}, s
	}
	if o.Conflict != nil || o.Revision <= s.At {
		return false, s
	}
	for key, value := range o.Writes {
		s.Cells[key] = cell{}
		if value != nil {
			s.Cells[key] = cell{o.Revision, *value}
		}
	}
	s.At = o.Revision
	return true, s
}

func step(before, input, _ interface{}) (bool, interface{}) {
	o := input.(operation)
	if o.Read {
		ok, after := read(before.(state), o)
		return ok, after
	}
	ok, after := commit(before.(state), o)
	return ok, after
}

func byGroup(history []porcupine.Operation) [][]porcupine.Operation {
	groups := map[string][]porcupine.Operation{}
	for _, o := range history {
		group := o.Input.(operation).Group
		groups[group] = append(groups[group], o)
	}
	parts := [][]porcupine.Operation{}
	for _, part := range groups {
		parts = append(parts, part)
	}
	return parts
}

func describe(input, _ interface{}) string {
	o := input.(operation)
	if o.Read {
		return fmt.Sprintf("read %s %v at %d", o.Group, o.Cells, o.Revision)
	}
	text, _ := json.Marshal(o)
	return string(text)
}

func main() {
	var operations []operation
	if err := json.NewDecoder(os.Stdin).Decode(&operations); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	history := []porcupine.Operation{}
	for _, o := range operations {
		history = append(history, porcupine.Operation{ClientId: o.Client, Input: o, Call: o.Call, Return: o.Return})
	}
	model := porcupine.Model{
		Partition:         byGroup,
		Init:              func() interface{} { return state{} },
		Step:              step,
		DescribeOperation: describe,
	}
	result, info := porcupine.CheckOperationsVerbose(model, history, 2*time.Minute)
	if len(os.Args) > 1 {
		if err := porcupine.VisualizePath(model, info, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	fmt.Println(result)
}
