// RUN: loss-opt %s --pass-pipeline="builtin.module(loss.program(loss-specialise{target=index element=f64},canonicalize,cse))" --split-input-file | FileCheck %s

// With class indices, a target is one number a row; no one-hot value is kept where one number will do.

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// sum(y * f(x)) is f at the class: the gather sinks to the input.
// CHECK-LABEL: loss.program @sumOfProduct(
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<?x?xf64, {{.*}}, %[[T:[a-z0-9]*]]: tensor<?xi64, #loss.axes<batch>> {loss.kind = "target"
// CHECK-NOT: one_hot
// CHECK: %[[G:.*]] = loss.gather %[[X]] at %[[T]] over "class"
// CHECK: %[[E:.*]] = math.exp %[[G]] : tensor<?xf64, #loss.axes<batch>>
// CHECK: loss.yield
loss.program @sumOfProduct(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                           %y: tensor<?x?xf64, #bc> {loss.kind = "target", loss.name = "y"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = math.exp %x : tensor<?x?xf64, #bc>
  %1 = arith.mulf %y, %0 : tensor<?x?xf64, #bc>
  %2 = loss.reduce sum %1 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %2 : tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// So is the sum of xlogy(y, f(x)).
// CHECK-LABEL: loss.program @sumOfXlogy(
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<?x?xf64, {{.*}}, %[[T:[a-z0-9]*]]: tensor<?xi64
// CHECK-NOT: one_hot
// CHECK: %[[G:.*]] = loss.gather %[[X]] at %[[T]] over "class"
// CHECK: %[[E:.*]] = math.exp %[[G]] : tensor<?xf64, #loss.axes<batch>>
// CHECK: loss.xlogy %{{.*}}, %[[E]] : tensor<?xf64, #loss.axes<batch>>
// CHECK: loss.yield
loss.program @sumOfXlogy(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                         %y: tensor<?x?xf64, #bc> {loss.kind = "target", loss.name = "y"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = math.exp %x : tensor<?x?xf64, #bc>
  %1 = loss.xlogy %y, %0 : tensor<?x?xf64, #bc>
  %2 = loss.reduce sum %1 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %2 : tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// sum(y) is 1.
// CHECK-LABEL: loss.program @sum(
// CHECK: %[[ONE:.*]] = arith.constant 1.000000e+00 : f64
// CHECK-NEXT: %[[B:.*]] = loss.broadcast %[[ONE]]
// CHECK-NEXT: loss.yield %[[B]]
loss.program @sum(%y: tensor<?x?xf64, #bc> {loss.kind = "target", loss.name = "y"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = loss.reduce sum %y over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %0 : tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// A function of the target alone takes two values, found at compile time where they are constant.
// CHECK-LABEL: loss.program @twoValues(
// CHECK-DAG: %[[AT:.*]] = arith.constant 4.0{{.*}} : f64
// CHECK-DAG: %[[ELSE:.*]] = arith.constant 1.0{{.*}} : f64
// CHECK: %[[HOT:.*]] = loss.one_hot
// CHECK-NOT: math.
// CHECK: %[[C:.*]] = arith.cmpf une, %[[HOT]]
// CHECK: arith.select %[[C]]
// CHECK: loss.yield
loss.program @twoValues(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                        %y: tensor<?x?xf64, #bc> {loss.kind = "target", loss.name = "y"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %c2 = arith.constant 2.0 : f64
  %0 = loss.broadcast %c2 : f64 to tensor<?x?xf64, #bc>
  %1 = arith.mulf %y, %0 : tensor<?x?xf64, #bc>
  %2 = math.exp2 %1 : tensor<?x?xf64, #bc>
  %3 = arith.addf %2, %x : tensor<?x?xf64, #bc>
  %4 = loss.reduce max %3 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %4 : tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// A class where the target is 0 has no part, so a gradient keeps one factor a row.
// CHECK-LABEL: loss.program @gradient(
// CHECK: %[[HOT:.*]] = loss.one_hot
// CHECK: %[[G:.*]] = loss.gather
// CHECK: %[[E:.*]] = math.exp %[[G]] : tensor<?xf64, #loss.axes<batch>>
// CHECK: %[[ONE:.*]] = arith.mulf %{{.*}}, %[[E]] : tensor<?xf64, #loss.axes<batch>>
// CHECK: %[[WIDE:.*]] = loss.broadcast %[[ONE]]
// CHECK: arith.mulf %[[HOT]], %[[WIDE]]
loss.program @gradient(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                       %y: tensor<?x?xf64, #bc> {loss.kind = "target", loss.name = "y"})
    -> (tensor<?x?xf64, #bc> {loss.result = "grad", loss.of = "x"}) attributes {axes = #bc} {
  %0 = math.exp %x : tensor<?x?xf64, #bc>
  %1 = arith.mulf %y, %0 : tensor<?x?xf64, #bc>
  loss.yield %1 : tensor<?x?xf64, #bc>
}

// -----

#bc = #loss.axes<batch, class>

// Two values are known only where the target is compared with 0.
// CHECK-LABEL: loss.program @comparedWithInput(
// CHECK: %[[HOT:.*]] = loss.one_hot
// CHECK: %[[DIFFERS:.*]] = arith.cmpf une, %[[HOT]], %arg0
// CHECK: arith.select %[[DIFFERS]]
loss.program @comparedWithInput(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                                %y: tensor<?x?xf64, #bc> {loss.kind = "target", loss.name = "y"})
    -> (tensor<?x?xf64, #bc> {loss.result = "value"}) attributes {axes = #bc} {
  %c0 = arith.constant 0.0 : f64
  %c1 = arith.constant 1.0 : f64
  %no = loss.broadcast %c0 : f64 to tensor<?x?xf64, #bc>
  %yes = loss.broadcast %c1 : f64 to tensor<?x?xf64, #bc>
  %0 = arith.cmpf une, %y, %x : tensor<?x?xf64, #bc>
  %1 = arith.select %0, %no, %yes : tensor<?x?xi1, #bc>, tensor<?x?xf64, #bc>
  %2 = arith.addf %1, %yes : tensor<?x?xf64, #bc>
  loss.yield %2 : tensor<?x?xf64, #bc>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>
#c = #loss.axes<class>

// Truth values are not gathered, but the numbers that they choose.
// CHECK-LABEL: loss.program @chosen(
// CHECK: %[[S:.*]] = arith.select
// CHECK: loss.gather %[[S]]
loss.program @chosen(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                     %y: tensor<?x?xf64, #bc> {loss.kind = "target", loss.name = "y"},
                     %w: tensor<?xf64, #c> {loss.kind = "fixed", loss.name = "w"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %c1 = arith.constant 1.0 : f64
  %0 = loss.broadcast %c1 : f64 to tensor<?xf64, #c>
  %1 = arith.cmpf ogt, %w, %0 : tensor<?xf64, #c>
  %2 = loss.broadcast %1 : tensor<?xi1, #c> to tensor<?x?xi1, #bc>
  %3 = math.exp %x : tensor<?x?xf64, #bc>
  %4 = arith.select %2, %3, %x : tensor<?x?xi1, #bc>, tensor<?x?xf64, #bc>
  %5 = arith.mulf %y, %4 : tensor<?x?xf64, #bc>
  %6 = loss.reduce sum %5 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %6 : tensor<?xf64, #b>
}

// -----

#bcp = #loss.axes<batch, class, position>

// Many indices a row: no gathering, but 0 where y is 0, also where x is infinite.
// CHECK-LABEL: loss.program @wide(
// CHECK: %[[HOT:.*]] = loss.one_hot
// CHECK: %[[PRODUCT:.*]] = arith.mulf %arg2, %arg0
// CHECK: %[[MEANT:.*]] = arith.cmpf une, %[[HOT]]
// CHECK: arith.select %[[MEANT]], %[[PRODUCT]]
loss.program @wide(%x: tensor<?x?x?xf64, #bcp> {loss.kind = "input", loss.name = "x"},
                   %y: tensor<?x?x?xf64, #bcp> {loss.kind = "target", loss.name = "y"},
                   %w: tensor<?x?x?xf64, #bcp> {loss.kind = "input", loss.name = "w"})
    -> (tensor<?x?x?xf64, #bcp> {loss.result = "value"})
    attributes {axes = #bcp, class_axis = "class"} {
  %0 = arith.mulf %y, %w : tensor<?x?x?xf64, #bcp>
  %1 = arith.mulf %0, %x : tensor<?x?x?xf64, #bcp>
  loss.yield %1 : tensor<?x?x?xf64, #bcp>
}
