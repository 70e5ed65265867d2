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

// expected-error @+1 {{expected 'loss.kind' of argument 'x' to be one of input, target, fixed, param, seed, tangent, class_weights, label_smoothing, but found 'weight'}}
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
loss.kernel @target attributes {axes = #loss.axes<batch, class>, element = f32, mode = "grad", returns = [#loss.role<value 0>], roles = [#loss.role<scale 0>], row_axis = "batch", target = "soft"} {
^bb0(%scale: f32):
  loss.kernel_return %scale : f32
}

// -----

// expected-error @+1 {{expected mode value, grad, all, tangent or tangent_all, but found 'both'}}
loss.kernel @mode attributes {axes = #loss.axes<batch, class>, element = f32, mode = "both", returns = [#loss.role<value 0>], roles = [#loss.role<scale 0>], row_axis = "batch", target = "none"} {
^bb0(%scale: f32):
  loss.kernel_return %scale : f32
}

// -----

// expected-error @+1 {{expected one role for each of 1 arguments, but found 2}}
loss.kernel @arguments attributes {axes = #loss.axes<batch, class>, element = f32, mode = "grad", returns = [#loss.role<value 0>], roles = [#loss.role<input 0>, #loss.role<scale 0>], row_axis = "batch", target = "none"} {
^bb0(%scale: f32):
  loss.kernel_return %scale : f32
}

// -----

// expected-error @+1 {{expected one role for each number returned}}
loss.kernel @returned attributes {axes = #loss.axes<batch, class>, element = f32, mode = "grad", returns = [#loss.role<value 0>], roles = [#loss.role<scale 0>], row_axis = "batch", target = "none"} {
^bb0(%scale: f32):
  loss.kernel_return
}

// -----

loss.kernel @phase attributes {axes = #loss.axes<batch, class>, element = f32, mode = "grad", returns = [#loss.role<value 0>], roles = [#loss.role<input 0>, #loss.role<scale 0>], row_axis = "batch", target = "none"} {
^bb0(%x: !loss.array<f32, <class>>, %scale: f32):
  // expected-error @+1 {{expected one body argument and one list of axes for each of 1 arrays read, but found 0 and 1}}
  loss.phase over <class> reads(%x : !loss.array<f32, <class>>) along [#loss.axes<class>] writes() reduces [] {
    loss.phase_yield reduce() write()
  }
  loss.kernel_return %scale : f32
}

// -----

loss.kernel @along attributes {axes = #loss.axes<batch, class>, element = f32, mode = "grad", returns = [#loss.role<value 0>], roles = [#loss.role<input 0>, #loss.role<scale 0>], row_axis = "batch", target = "none"} {
^bb0(%x: !loss.array<f32, <class>>, %scale: f32):
  // expected-error @+1 {{a read has axis 'position', which is no loop's}}
  loss.phase over <class> reads(%x : !loss.array<f32, <class>>) along [#loss.axes<position>] writes() reduces [] {
  ^bb0(%e: f32):
    loss.phase_yield reduce() write()
  }
  loss.kernel_return %scale : f32
}

// -----

loss.kernel @several attributes {axes = #loss.axes<batch, class>, element = f32, mode = "grad", returns = [#loss.role<value 0>], roles = [#loss.role<input 0>, #loss.role<scale 0>], row_axis = "batch", target = "none"} {
^bb0(%x: !loss.array<f32, <class, position>>, %scale: f32):
  // expected-error @+1 {{expected a result over one axis; over several, into an array}}
  %0 = loss.phase over <class, position> reads(%x : !loss.array<f32, <class, position>>) along [#loss.axes<class, position>] writes() reduces [#loss<reduction sum>] -> f32 {
  ^bb0(%e: f32):
    loss.phase_yield reduce(%e : f32) write()
  }
  loss.kernel_return %scale : f32
}

// -----

loss.program @rename(%x: tensor<?xf64, #loss.axes<batch>> {loss.kind = "input", loss.name = "x"}) -> () attributes {axes = #loss.axes<batch, class, other>} {
  // expected-error @+1 {{expected the result to have the operand's axes with 'other' in place of 'batch'}}
  %0 = loss.rename %x "batch" to "other" : tensor<?xf64, #loss.axes<batch>> -> tensor<?x?xf64, #loss.axes<class, other>>
  loss.yield
}

// -----

loss.program @cumsum(%x: tensor<?xf64, #loss.axes<batch>> {loss.kind = "input", loss.name = "x"}) -> () attributes {axes = #loss.axes<batch, class>} {
  // expected-error @+1 {{expected an operand with axis 'class'}}
  %0 = loss.cumsum %x over "class" : tensor<?xf64, #loss.axes<batch>> -> tensor<?xf64, #loss.axes<batch>>
  loss.yield
}

// -----

loss.program @logcumsumexp(%x: tensor<?xf64, #loss.axes<batch>> {loss.kind = "input", loss.name = "x"}) -> () attributes {axes = #loss.axes<batch, class>} {
  // expected-error @+1 {{expected an operand with axis 'class'}}
  %0 = loss.logcumsumexp %x over "class" : tensor<?xf64, #loss.axes<batch>> -> tensor<?xf64, #loss.axes<batch>>
  loss.yield
}

// -----

loss.program @level(%x: tensor<?xf64, #loss.axes<batch>> {loss.kind = "input", loss.name = "x"}) -> () attributes {axes = #loss.axes<batch, class>} {
  %c = arith.constant 1.0 : f64
  // expected-error @+1 {{expected operands and result of one type}}
  %0 = loss.decayed_cumsum %x at %c over "batch" : tensor<?xf64, #loss.axes<batch>> at f64 -> tensor<?xf64, #loss.axes<batch>>
  loss.yield
}
