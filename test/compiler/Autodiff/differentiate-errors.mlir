// RUN: loss-opt %s --pass-pipeline="builtin.module(loss-differentiate{wrt=x})" --split-input-file --verify-diagnostics

#b = #loss.axes<batch>

loss.program @rule(%x: tensor<?xf64, #b> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #b} {
  // expected-error @+1 {{expected a derivative rule for 'math.cbrt', which the value depends on, but found none}}
  %0 = math.cbrt %x : tensor<?xf64, #b>
  loss.yield %0 : tensor<?xf64, #b>
}

// -----

#b = #loss.axes<batch>

// expected-error @+1 {{expected an argument of numbers to differentiate by, but found 'x'}}
loss.program @name(%y: tensor<?xf64, #b> {loss.kind = "input", loss.name = "y"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #b} {
  loss.yield %y : tensor<?xf64, #b>
}

// -----

#b = #loss.axes<batch>

// expected-error @+1 {{expected no program named 'f_grad', but found one: it takes the gradient's place}}
loss.program @f(%x: tensor<?xf64, #b> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #b} {
  loss.yield %x : tensor<?xf64, #b>
}
loss.program @f_grad() -> () attributes {axes = #b} {
  loss.yield
}
