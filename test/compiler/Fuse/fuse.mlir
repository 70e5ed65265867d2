// RUN: loss-opt %s --loss-fuse --canonicalize --cse --split-input-file | FileCheck %s

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// One pass reduces what waits for nothing; the numbers between passes are taken once a row.
// CHECK-LABEL: loss.kernel @onePass
// CHECK-SAME: mode = "value", returns = [#loss.role<value 0>], roles = [#loss.role<input 0>, #loss.role<input 1>, #loss.role<param 0>, #loss.role<weights 0>, #loss.role<scale 0>], row_axis = "batch", target = "dense"
// CHECK: ^bb0(%[[X:.*]]: !loss.array<f64, <class>>, %[[Y:.*]]: !loss.array<f64, <class>>, %[[C:.*]]: f64, %[[W:.*]]: f64, %{{.*}}: f64):
// CHECK: %[[R:.*]]:2 = loss.phase over <class> reads(%{{.*}}, %{{.*}} : !loss.array<f64, <class>>, !loss.array<f64, <class>>) along {{.*}} writes() reduces [#loss<reduction sum>, #loss<reduction max>] -> f64, f64
// CHECK-NOT: loss.phase reads
// CHECK: %[[S:.*]] = arith.mulf %[[R]]#0, %[[C]] : f64
// CHECK: %[[V:.*]] = arith.addf %[[S]], %[[R]]#1 : f64
// CHECK: %[[WEIGHTED:.*]] = arith.mulf %[[V]], %[[W]] : f64
// CHECK: loss.kernel_return %[[WEIGHTED]] : f64
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
// CHECK: ^bb0(%[[X:.*]]: !loss.array<f32, <class>>, %{{.*}}: f32, %{{.*}}: f32):
// CHECK: %[[K:.*]] = loss.scratch
// CHECK: %[[S:.*]] = loss.phase over <class> reads(%[[X]] : !loss.array<f32, <class>>) along {{.*}} writes(%[[K]] : !loss.array<f32, <class>>) reduces [#loss<reduction sum>]
// CHECK: math.erf
// CHECK: loss.phase over <class> reads(%[[X]], %[[K]] : {{.*}}) along {{.*}} writes() reduces [#loss<reduction sum>]
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
// CHECK: ^bb0(%[[X:.*]]: !loss.array<f32, <class>>, %[[G:.*]]: !loss.array<f32, <class>>, %[[WEIGHT:.*]]: f32, %[[SCALE:.*]]: f32):
// CHECK-NOT: loss.scratch
// CHECK: %[[BOTH:.*]] = arith.mulf %[[WEIGHT]], %[[SCALE]]
// CHECK: loss.phase over <class> reads(%[[X]] : {{.*}}) along {{.*}} writes(%[[G]] : {{.*}}) reduces [#loss<reduction sum>]
// CHECK: loss.phase over <class> reads(%[[G]] : {{.*}}) along {{.*}} writes(%[[G]] : {{.*}}) reduces []
// CHECK: %[[SCALED:.*]] = arith.mulf %{{.*}}, %[[BOTH]]
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
// CHECK: ^bb0(%[[X:.*]]: !loss.array<f64, <class>>, %[[T:.*]]: i64, %{{.*}}: f64, %{{.*}}: f64):
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

// -----

#bcp = #loss.axes<batch, class, position>
#bp = #loss.axes<batch, position>
#b = #loss.axes<batch>

// Over several axes: a sum over one of them goes into an array, which a smaller pass takes up.
// CHECK-LABEL: loss.kernel @positions
// CHECK: ^bb0(%[[X:.*]]: !loss.array<f32, <class, position>>,
// CHECK: %[[P:.*]] = loss.scratch : !loss.array<f32, <position>>
// CHECK: loss.phase over <class, position> reads(%[[X]] : {{.*}}) along [#loss.axes<class, position>] writes() into(%[[P]] : !loss.array<f32, <position>>) reduces [#loss<reduction sum>] {
// CHECK: loss.phase over <position> reads(%[[P]] : {{.*}}) along [#loss.axes<position>] writes() reduces [#loss<reduction sum>] -> f32
// CHECK: math.exp
loss.program @positions(%x: tensor<?x?x?xf32, #bcp> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf32, #b> {loss.result = "value"}) attributes {axes = #bcp} {
  %0 = loss.reduce sum %x over "class" : tensor<?x?x?xf32, #bcp> -> tensor<?x?xf32, #bp>
  %1 = math.exp %0 : tensor<?x?xf32, #bp>
  %2 = loss.reduce sum %1 over "position" : tensor<?x?xf32, #bp> -> tensor<?xf32, #b>
  loss.yield %2 : tensor<?xf32, #b>
}

// -----

#bd = #loss.axes<batch, dim>
#bdo = #loss.axes<batch, dim, other>
#b = #loss.axes<batch>

// All pairs: no rows. The second operand is copied in the order of the loops.
// CHECK-LABEL: loss.kernel @pairs
// CHECK-NOT: row_axis
// CHECK: %[[Y:.*]] = loss.scratch : !loss.array<f32, <dim, other>>
// CHECK: loss.phase over <dim, other> reads(%[[X:.*]] : {{.*}}) along [#loss.axes<other, dim>] writes(%[[Y]] :
// CHECK: loss.phase over <batch, dim, other> reads(%[[X]], %[[Y]] : {{.*}}) along [#loss.axes<batch, dim>, #loss.axes<dim, other>] writes() into
// The result is an array, weighted while it is written.
// CHECK: loss.kernel_return
loss.program @pairs(%x: tensor<?x?xf32, #bd> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf32, #b> {loss.result = "value"}) attributes {axes = #bdo, copies = {other = "batch"}} {
  %0 = loss.rename %x "batch" to "other" : tensor<?x?xf32, #bd> -> tensor<?x?xf32, #loss.axes<dim, other>>
  %1 = loss.broadcast %x : tensor<?x?xf32, #bd> to tensor<?x?x?xf32, #bdo>
  %2 = loss.broadcast %0 : tensor<?x?xf32, #loss.axes<dim, other>> to tensor<?x?x?xf32, #bdo>
  %3 = arith.mulf %1, %2 : tensor<?x?x?xf32, #bdo>
  %4 = loss.reduce sum %3 over "dim" : tensor<?x?x?xf32, #bdo> -> tensor<?x?xf32, #loss.axes<batch, other>>
  %5 = loss.reduce max %4 over "other" : tensor<?x?xf32, #loss.axes<batch, other>> -> tensor<?xf32, #b>
  loss.yield %5 : tensor<?xf32, #b>
}

// -----

#e = #loss.axes<element>

// The rows are the only axis: the kernel works on a range of them in one pass.
// CHECK-LABEL: loss.kernel @elements
// CHECK-SAME: range
// CHECK: ^bb0(%[[X:.*]]: !loss.array<f32, <element>>, %[[V:.*]]: !loss.array<f32, <element>>, %[[W:.*]]: !loss.array<f32, <element>>, %{{.*}}: f32):
// CHECK: loss.phase over <element> reads(%[[X]], %[[W]] : {{.*}}) along {{.*}} writes(%[[V]] : {{.*}}) reduces []
// CHECK: loss.kernel_return{{$}}
loss.program @elements(%x: tensor<?xf32, #e> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf32, #e> {loss.result = "value"}) attributes {axes = #e} {
  %0 = arith.mulf %x, %x : tensor<?xf32, #e>
  loss.yield %0 : tensor<?xf32, #e>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// A cumulative sum is a scan between passes; its operands are kept in arrays.
// CHECK-LABEL: loss.kernel @scan
// CHECK: loss.phase over <class> {{.*}} writes(%[[K:.*]] : !loss.array<f32, <class>>) reduces []
// CHECK: math.exp
// CHECK: %[[ORDER:.*]] = loss.scratch : !loss.array<i64, <class>>
// CHECK: loss.scan {{ *}}sum %[[K]] by %{{.*}}, %[[ORDER]] into %[[S:.*]] over "class"
// CHECK: loss.phase over <class> reads(%[[S]] : {{.*}}) {{.*}} reduces [#loss<reduction max>]
loss.program @scan(%x: tensor<?x?xf32, #bc> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf32, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = math.exp %x : tensor<?x?xf32, #bc>
  %1 = loss.cumsum %0 by %x over "class" : tensor<?x?xf32, #bc> by tensor<?x?xf32, #bc> -> tensor<?x?xf32, #bc>
  %2 = loss.reduce max %1 over "class" : tensor<?x?xf32, #bc> -> tensor<?xf32, #b>
  loss.yield %2 : tensor<?xf32, #b>
}

// -----

#bc = #loss.axes<batch, class>
#c = #loss.axes<class>
#b = #loss.axes<batch>

// An element of a computed value is loaded once all of it is in an array.
// CHECK-LABEL: loss.kernel @gather
// CHECK: %[[K:.*]] = loss.scratch : !loss.array<f64, <class>>
// CHECK: loss.phase over <class> {{.*}} writes(%[[K]] : {{.*}}) reduces []
// CHECK: loss.load %[[K]][%{{.*}}]
loss.program @gather(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                     %t: tensor<?xi64, #b> {loss.kind = "target", loss.name = "t"},
                     %w: tensor<?xf64, #c> {loss.kind = "input", loss.name = "w"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = math.exp %w : tensor<?xf64, #c>
  %1 = loss.broadcast %0 : tensor<?xf64, #c> to tensor<?x?xf64, #bc>
  %2 = loss.gather %1 at %t over "class" : tensor<?x?xf64, #bc>, tensor<?xi64, #b> -> tensor<?xf64, #b>
  loss.yield %2 : tensor<?xf64, #b>
}

// -----

#p = #loss.axes<position>
#o = #loss.axes<other>

// A value that one pass keeps for a later one may be needed at other positions before that: then it
// is written earlier.
// CHECK-LABEL: loss.kernel @earlier
// CHECK: loss.phase over <other> {{.*}} writes(%[[A:.*]] : !loss.array<f64, <other>>)
// CHECK: loss.phase over <position> reads(%[[A]]
loss.program @earlier(%y: tensor<?xf64, #p> {loss.kind = "input", loss.name = "y"})
    -> (f64 {loss.result = "value"}) attributes {axes = #loss.axes<position, other>, copies = {other = "position"}} {
  %0 = loss.rename %y "position" to "other" : tensor<?xf64, #p> -> tensor<?xf64, #o>
  %1 = math.exp %0 : tensor<?xf64, #o>
  %2 = loss.rename %1 "other" to "position" : tensor<?xf64, #o> -> tensor<?xf64, #p>
  %3 = math.sin %2 : tensor<?xf64, #p>
  %4 = loss.rename %3 "position" to "other" : tensor<?xf64, #p> -> tensor<?xf64, #o>
  %5 = arith.mulf %1, %4 : tensor<?xf64, #o>
  %6 = loss.reduce sum %5 over "other" : tensor<?xf64, #o> -> f64
  loss.yield %6 : f64
}
