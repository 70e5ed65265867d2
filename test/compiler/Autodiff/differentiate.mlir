// RUN: loss-opt %s --pass-pipeline="builtin.module(loss-differentiate)" --split-input-file | FileCheck %s
// RUN: loss-opt %s --pass-pipeline="builtin.module(loss-differentiate{wrt=c})" --split-input-file | FileCheck %s --check-prefix=PARAM
// RUN: loss-opt %s --pass-pipeline="builtin.module(loss-differentiate,loss-differentiate{of=x},loss.program(loss-simplify))" --split-input-file | FileCheck %s --check-prefix=SECOND

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// The program stays; its gradient yields the value too.
// CHECK-LABEL: loss.program @f(
// CHECK-LABEL: loss.program @f_grad(
// CHECK-SAME: %[[X:[a-z0-9]*]]: {{[^{]*}} {loss.kind = "input"
// CHECK-SAME: -> (tensor<?xf64, #loss.axes<batch>> {loss.result = "value"}, tensor<?x?xf64, #loss.axes<batch, class>> {loss.of = "x", loss.result = "grad"})
// CHECK: %[[L:.*]] = loss.log_softmax %[[X]]
// CHECK: %[[R:.*]] = loss.reduce {{ *}}sum %{{.*}} over "class"
// CHECK: %[[P:.*]] = loss.softmax %[[X]]
// CHECK: %[[G:.*]] = arith.subf
// CHECK-NEXT: loss.yield %[[R]], %[[G]]

// PARAM-LABEL: loss.program @f_grad(
// PARAM-SAME: f64 {loss.of = "c", loss.result = "grad"})

// SECOND-LABEL: loss.program @f_grad_grad(
// SECOND-SAME: {loss.of = "x", loss.result = "grad"}, tensor<?x?xf64, #loss.axes<batch, class>> {loss.from = "x", loss.of = "x", loss.result = "grad"})
loss.program @f(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                %y: tensor<?x?xf64, #bc> {loss.kind = "target", loss.name = "y"},
                %c: f64 {loss.kind = "param", loss.name = "c", loss.default = 1.0 : f64})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = loss.log_softmax %x over "class" : tensor<?x?xf64, #bc>
  %1 = loss.broadcast %c : f64 to tensor<?x?xf64, #bc>
  %2 = arith.mulf %0, %1 : tensor<?x?xf64, #bc>
  %3 = arith.mulf %y, %2 : tensor<?x?xf64, #bc>
  %4 = loss.reduce sum %3 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %4 : tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// By default the inputs that have the row axis; a weight of the classes is none. An exponent that
// does not vary gets no logarithm.
// CHECK-LABEL: loss.program @power_grad(
// CHECK-SAME: {loss.of = "x", loss.result = "grad"}) attributes
// CHECK-NOT: math.log
loss.program @power(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                    %w: tensor<?xf64, #loss.axes<class>> {loss.kind = "input", loss.name = "w"},
                    %c: f64 {loss.kind = "param", loss.name = "c", loss.default = 1.5 : f64})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = loss.broadcast %c : f64 to tensor<?x?xf64, #bc>
  %1 = math.powf %x, %0 : tensor<?x?xf64, #bc>
  %2 = loss.broadcast %w : tensor<?xf64, #loss.axes<class>> to tensor<?x?xf64, #bc>
  %3 = arith.mulf %1, %2 : tensor<?x?xf64, #bc>
  %4 = loss.reduce sum %3 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %4 : tensor<?xf64, #b>
}
