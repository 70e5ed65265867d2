// RUN: loss-opt %s --pass-pipeline="builtin.module(loss.program(loss-specialise))" | FileCheck %s

// The element type is f32 by default, the target stays a distribution. Parameters and constants follow.

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// CHECK-LABEL: loss.program @f(
// CHECK-SAME: tensor<?x?xf32, #loss.axes<batch, class>> {loss.kind = "input"
// CHECK-SAME: tensor<?x?xf32, #loss.axes<batch, class>> {loss.kind = "target"
// CHECK-SAME: f32 {loss.default
// CHECK-SAME: -> (tensor<?xf32, #loss.axes<batch>>
// CHECK-NOT: {{[a-z0-9=] f64|xf64}}
// CHECK: loss.yield
loss.program @f(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                %y: tensor<?x?xf64, #bc> {loss.kind = "target", loss.name = "y"},
                %c: f64 {loss.default = 0.1 : f64, loss.kind = "param", loss.name = "c"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %k = arith.constant 0.1 : f64
  %0 = arith.mulf %c, %k : f64
  %1 = loss.broadcast %0 : f64 to tensor<?x?xf64, #bc>
  %2 = arith.mulf %1, %x : tensor<?x?xf64, #bc>
  %3 = arith.cmpf olt, %2, %y : tensor<?x?xf64, #bc>
  %4 = arith.select %3, %2, %y : tensor<?x?xi1, #bc>, tensor<?x?xf64, #bc>
  %5 = loss.reduce sum %4 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %5 : tensor<?xf64, #b>
}
