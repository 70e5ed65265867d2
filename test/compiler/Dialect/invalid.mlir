// RUN: loss-opt %s --split-input-file --verify-diagnostics

// What the verifiers of types and operations refuse.

// expected-error @+1 {{expected each axis once, but found 'a' twice}}
#twice = #loss.axes<a, a>

// -----

// expected-error @+1 {{expected one dimension for each of 2 axes, but found 1}}
func.func private @encoding(tensor<?xf64, #loss.axes<batch, class>>)

// -----

// expected-error @+1 {{expected 'loss.name' and 'loss.kind' on argument 0}}
loss.program @unnamed(%x: f64) -> () attributes {axes = #loss.axes<batch>} {
  loss.yield
}

// -----

// expected-error @+1 {{expected 'loss.kind' of argument 'x' to be input, target or param, but found 'weight'}}
loss.program @kind(%x: f64 {loss.kind = "weight", loss.name = "x"}) -> () attributes {axes = #loss.axes<batch>} {
  loss.yield
}

// -----

// expected-error @+1 {{expected 'loss.default' on parameter 'c'}}
loss.program @parameter(%c: f64 {loss.kind = "param", loss.name = "c"}) -> () attributes {axes = #loss.axes<batch>} {
  loss.yield
}

// -----

// expected-error @+1 {{argument 'x' has axis 'class', which the program does not declare}}
loss.program @axis(%x: tensor<?xf64, #loss.axes<class>> {loss.kind = "input", loss.name = "x"}) -> () attributes {axes = #loss.axes<batch>} {
  loss.yield
}

// -----

// expected-error @+1 {{expected 'loss.of' on gradient result 0}}
loss.program @result(%x: f64 {loss.kind = "input", loss.name = "x"}) -> (f64 {loss.result = "grad"}) attributes {axes = #loss.axes<batch>} {
  loss.yield %x : f64
}

// -----

loss.program @yield(%x: f64 {loss.kind = "input", loss.name = "x"}) -> (f64 {loss.result = "value"}) attributes {axes = #loss.axes<batch>} {
  // expected-error @+1 {{expected operands of the program's result types ('f64'), but found ()}}
  loss.yield
}

// -----

func.func @broadcastDropsAxis(%x: tensor<?x?xf64, #loss.axes<batch, class>>) {
  // expected-error @+1 {{expected the result to have axis 'class' of the input, in the same order}}
  %0 = loss.broadcast %x : tensor<?x?xf64, #loss.axes<batch, class>> to tensor<?xf64, #loss.axes<batch>>
  return
}

// -----

func.func @broadcastElement(%x: f32) {
  // expected-error @+1 {{expected input and result of one element type}}
  %0 = loss.broadcast %x : f32 to tensor<?xf64, #loss.axes<batch>>
  return
}

// -----

func.func @reduceAxis(%x: tensor<?xf64, #loss.axes<batch>>) {
  // expected-error @+1 {{expected an operand with axis 'class', but found 'tensor<?xf64, #loss.axes<batch>>'}}
  %0 = loss.softmax %x over "class" : tensor<?xf64, #loss.axes<batch>>
  return
}

// -----

func.func @gatherIndex(%x: tensor<?x?xf64, #loss.axes<batch, class>>, %t: i64) {
  // expected-error @+1 {{expected an index with the axes of 'tensor<?xf64, #loss.axes<batch>>', but found 'i64'}}
  %0 = loss.gather %x at %t over "class" : tensor<?x?xf64, #loss.axes<batch, class>>, i64 -> tensor<?xf64, #loss.axes<batch>>
  return
}

// -----

// expected-error @+1 {{expected target none, index or dense, but found 'soft'}}
loss.kernel @target attributes {target = "soft", mode = "grad", element = f32, inputs = 0 : i32, params = 0 : i32, grads = 0 : i32} {
^bb0(%scale: f32):
  loss.kernel_return %scale : f32
}

// -----

// expected-error @+1 {{expected mode value or grad, but found 'both'}}
loss.kernel @mode attributes {target = "none", mode = "both", element = f32, inputs = 0 : i32, params = 0 : i32, grads = 0 : i32} {
^bb0(%scale: f32):
  loss.kernel_return %scale : f32
}

// -----

// expected-error @+1 {{expected 2 body arguments, but found 1}}
loss.kernel @arguments attributes {target = "none", mode = "grad", element = f32, inputs = 1 : i32, params = 0 : i32, grads = 0 : i32} {
^bb0(%scale: f32):
  loss.kernel_return %scale : f32
}

// -----

loss.kernel @phase attributes {target = "none", mode = "grad", element = f32, inputs = 1 : i32, params = 0 : i32, grads = 0 : i32} {
^bb0(%x: !loss.row<f32>, %scale: f32):
  // expected-error @+1 {{expected one body argument for each of 1 rows read, but found 0}}
  loss.phase reads(%x : !loss.row<f32>) writes() reduces [] {
    loss.phase_yield reduce() write()
  }
  loss.kernel_return %scale : f32
}
