// RUN: loss-opt %s --loss-fuse --canonicalize --cse --split-input-file | FileCheck %s

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// One pass reduces what waits for nothing; the numbers between passes are taken once a row.
// CHECK-LABEL: loss.kernel @onePass
// CHECK-SAME: grads = 0 : i32, inputs = 2 : i32, mode = "value", params = 1 : i32, target = "dense"
// CHECK: ^bb0(%[[X:.*]]: !loss.row<f64>, %[[Y:.*]]: !loss.row<f64>, %[[C:.*]]: f64, %{{.*}}: f64):
// CHECK: %[[R:.*]]:2 = loss.phase reads(%{{.*}}, %{{.*}} : !loss.row<f64>, !loss.row<f64>) writes() reduces [#loss<reduction sum>, #loss<reduction max>] -> f64, f64
// CHECK-NOT: loss.phase reads
// CHECK: %[[S:.*]] = arith.mulf %[[R]]#0, %[[C]] : f64
// CHECK: %[[V:.*]] = arith.addf %[[S]], %[[R]]#1 : f64
// CHECK: loss.kernel_return %[[V]] : f64
loss.program @onePass(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                      %y: tensor<?x?xf64, #bc> {loss.kind = "target", loss.name = "y"},
                      %c: f64 {loss.default = 1.0 : f64, loss.kind = "param", loss.name = "c"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = arith.mulf %x, %y : tensor<?x?xf64, #bc>
  %1 = loss.reduce sum %0 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  %2 = loss.reduce max %x over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  %3 = loss.broadcast %c : f64 to tensor<?xf64, #b>
  %4 = arith.mulf %1, %3 : tensor<?xf64, #b>
  %5 = arith.addf %4, %2 : tensor<?xf64, #b>
  loss.yield %5 : tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// What is cheap is computed again; what is dear is kept in scratch for the next pass.
// CHECK-LABEL: loss.kernel @keep
// CHECK: ^bb0(%[[X:.*]]: !loss.row<f32>, %{{.*}}: f32):
// CHECK: %[[K:.*]] = loss.scratch
// CHECK: %[[S:.*]] = loss.phase reads(%[[X]] : !loss.row<f32>) writes(%[[K]] : !loss.row<f32>) reduces [#loss<reduction sum>]
// CHECK: math.erf
// CHECK: loss.phase reads(%[[X]], %[[K]] : {{.*}}) writes() reduces [#loss<reduction sum>]
// CHECK-NOT: math.erf
// CHECK: loss.kernel_return
loss.program @keep(%x: tensor<?x?xf32, #bc> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf32, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = arith.addf %x, %x : tensor<?x?xf32, #bc>
  %1 = math.erf %x : tensor<?x?xf32, #bc>
  %2 = arith.mulf %0, %1 : tensor<?x?xf32, #bc>
  %3 = loss.reduce sum %2 over "class" : tensor<?x?xf32, #bc> -> tensor<?xf32, #b>
  %4 = loss.broadcast %3 : tensor<?xf32, #b> to tensor<?x?xf32, #bc>
  %5 = arith.mulf %4, %0 : tensor<?x?xf32, #bc>
  %6 = arith.addf %5, %1 : tensor<?x?xf32, #bc>
  %7 = loss.reduce sum %6 over "class" : tensor<?x?xf32, #bc> -> tensor<?xf32, #b>
  loss.yield %7 : tensor<?xf32, #b>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// The gradient's own row holds what is kept, and every gradient is scaled.
// CHECK-LABEL: loss.kernel @gradient
// CHECK: ^bb0(%[[X:.*]]: !loss.row<f32>, %[[G:.*]]: !loss.row<f32>, %[[SCALE:.*]]: f32):
// CHECK-NOT: loss.scratch
// CHECK: loss.phase reads(%[[X]] : {{.*}}) writes(%[[G]] : {{.*}}) reduces [#loss<reduction sum>]
// CHECK: loss.phase reads(%[[G]] : {{.*}}) writes(%[[G]] : {{.*}}) reduces []
// CHECK: %[[SCALED:.*]] = arith.mulf %{{.*}}, %[[SCALE]]
// CHECK: loss.phase_yield reduce() write(%[[SCALED]] : f32)
loss.program @gradient(%x: tensor<?x?xf32, #bc> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf32, #b> {loss.result = "value"}, tensor<?x?xf32, #bc> {loss.of = "x", loss.result = "grad"})
    attributes {axes = #bc} {
  %0 = math.exp %x : tensor<?x?xf32, #bc>
  %1 = loss.reduce sum %0 over "class" : tensor<?x?xf32, #bc> -> tensor<?xf32, #b>
  %2 = loss.broadcast %1 : tensor<?xf32, #b> to tensor<?x?xf32, #bc>
  %3 = arith.mulf %2, %0 : tensor<?x?xf32, #bc>
  loss.yield %1, %3 : tensor<?xf32, #b>, tensor<?x?xf32, #bc>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// one_hot(t) * f is a choice, not a product: an infinite f elsewhere has no part.
// CHECK-LABEL: loss.kernel @oneHot
// CHECK: ^bb0(%[[X:.*]]: !loss.row<f64>, %[[T:.*]]: i64, %{{.*}}: f64):
// CHECK: %[[IS:.*]] = loss.is_class %[[T]]
// CHECK: %[[V:.*]] = arith.select %[[IS]], %{{.*}}, %{{.*}} : f64
// CHECK-NOT: arith.mulf
// CHECK: loss.phase_yield reduce(%[[V]] : f64)
loss.program @oneHot(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                     %t: tensor<?xi64, #b> {loss.kind = "target", loss.name = "t"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = loss.one_hot %t over "class" : tensor<?xi64, #b> -> tensor<?x?xf64, #bc>
  %1 = arith.mulf %0, %x : tensor<?x?xf64, #bc>
  %2 = loss.reduce max %1 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %2 : tensor<?xf64, #b>
}
