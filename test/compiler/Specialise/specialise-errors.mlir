// RUN: loss-opt %s --pass-pipeline="builtin.module(loss.program(loss-specialise{element=f16}))" --verify-diagnostics

// expected-error @+1 {{expected element f32 or f64, but found 'f16'}}
loss.program @f(%c: f64 {loss.default = 0.1 : f64, loss.kind = "param", loss.name = "c"})
    -> () attributes {axes = #loss.axes<batch, class>} {
  loss.yield
}
