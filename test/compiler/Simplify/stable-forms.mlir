// RUN: loss-opt %s --pass-pipeline="builtin.module(loss.program(loss-simplify))" --split-input-file | FileCheck %s
// RUN: loss-opt %s --pass-pipeline="builtin.module(loss.program(loss-simplify{disable-patterns=DivergenceOfSoftmaxes,LogOfComplement,LogOfExponential,ProductWithLogarithm}))" --split-input-file | FileCheck %s --check-prefix=WITHOUT

#bc = #loss.axes<batch, class>

// log(1 - softmax(x)): at the only maximum, the logarithm of the sigmoid of its distance from the
// sum of all others.
// CHECK-LABEL: loss.program @complement
// CHECK-SAME: %[[X:[a-z0-9]*]]:
// CHECK: loss.reduce {{ *}}max %[[X]] over "class"
// CHECK: %[[SHIFTED:.*]] = arith.subf %[[X]],
// CHECK: %[[GREATEST:.*]] = arith.cmpf oeq, %[[SHIFTED]],
// CHECK: math.exp
// CHECK: loss.reduce {{ *}}sum
// CHECK: %[[P:.*]] = loss.softmax %[[X]] over "class"
// CHECK: %[[THERE:.*]] = loss.log_sigmoid
// CHECK: %[[ELSE:.*]] = math.log1p
// CHECK: %[[R:.*]] = arith.select %{{.*}}, %[[THERE]], %[[ELSE]]
// CHECK: loss.yield %[[R]]
// The names of laws leave them out.
// WITHOUT-LABEL: loss.program @complement
// WITHOUT-NOT: loss.log_sigmoid
// WITHOUT: math.log1p
loss.program @complement(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?x?xf64, #bc> {loss.result = "value"}) attributes {axes = #bc} {
  %one = arith.constant 1.0 : f64
  %ones = loss.broadcast %one : f64 to tensor<?x?xf64, #bc>
  %0 = loss.softmax %x over "class" : tensor<?x?xf64, #bc>
  %1 = arith.subf %ones, %0 : tensor<?x?xf64, #bc>
  %2 = math.log %1 : tensor<?x?xf64, #bc>
  loss.yield %2 : tensor<?x?xf64, #bc>
}

// -----

#b = #loss.axes<batch>

// log(exp(x) * 2 / exp(y))  =  x + log 2 - y
// CHECK-LABEL: loss.program @logarithms
// CHECK-SAME: %[[X:[a-z0-9]*]]: {{[^{]*}} {loss.kind = "input", loss.name = "x"
// CHECK-SAME: %[[Y:[a-z0-9]*]]: {{[^{]*}} {loss.kind = "input", loss.name = "y"
// CHECK-NOT: math.exp
// CHECK: %[[S:.*]] = arith.addf %[[X]],
// CHECK: %[[R:.*]] = arith.subf %[[S]], %[[Y]]
// CHECK: loss.yield %[[R]]
// WITHOUT-LABEL: loss.program @logarithms
// WITHOUT: math.log
loss.program @logarithms(%x: tensor<?xf64, #b> {loss.kind = "input", loss.name = "x"},
                         %y: tensor<?xf64, #b> {loss.kind = "input", loss.name = "y"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #b} {
  %two = arith.constant 2.0 : f64
  %twos = loss.broadcast %two : f64 to tensor<?xf64, #b>
  %0 = math.exp %x : tensor<?xf64, #b>
  %1 = math.exp %y : tensor<?xf64, #b>
  %2 = arith.mulf %0, %twos : tensor<?xf64, #b>
  %3 = arith.divf %2, %1 : tensor<?xf64, #b>
  %4 = math.log %3 : tensor<?xf64, #b>
  loss.yield %4 : tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>

// p log p is 0 where p is 0; the product with another value is not touched.
// CHECK-LABEL: loss.program @vanishing
// CHECK-SAME: %[[X:[a-z0-9]*]]: {{[^{]*}} {loss.kind = "input", loss.name = "x"
// CHECK-SAME: %[[Y:[a-z0-9]*]]: {{[^{]*}} {loss.kind = "input", loss.name = "y"
// CHECK-DAG: %[[P:.*]] = loss.softmax %[[X]]
// CHECK-DAG: %[[L:.*]] = loss.log_softmax %[[X]]
// CHECK: %[[NONE:.*]] = arith.cmpf oeq, %[[P]],
// CHECK: %[[SAFE:.*]] = arith.select %[[NONE]], %{{.*}}, %[[L]]
// CHECK: arith.mulf %[[P]], %[[SAFE]]
// CHECK: arith.mulf %[[Y]], %[[L]]
// WITHOUT-LABEL: loss.program @vanishing
// WITHOUT-NOT: arith.select
loss.program @vanishing(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                        %y: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "y"})
    -> (tensor<?x?xf64, #bc> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = loss.log_softmax %x over "class" : tensor<?x?xf64, #bc>
  %1 = math.exp %0 : tensor<?x?xf64, #bc>
  %2 = arith.mulf %1, %0 : tensor<?x?xf64, #bc>
  %3 = arith.mulf %y, %0 : tensor<?x?xf64, #bc>
  %4 = arith.addf %2, %3 : tensor<?x?xf64, #bc>
  loss.yield %4 : tensor<?x?xf64, #bc>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// log(1 - sum(y p)): the probability of all other classes, summed up, unless that is most of it.
// CHECK-LABEL: loss.program @ofClass
// CHECK-SAME: %[[X:[a-z0-9]*]]: {{[^{]*}} {loss.kind = "input"
// CHECK-SAME: %[[Y:[a-z0-9]*]]: {{[^{]*}} {loss.kind = "target"
// CHECK: arith.subf %{{.*}}, %[[Y]]
// CHECK: arith.select
// CHECK: loss.yield
// WITHOUT-LABEL: loss.program @ofClass
// WITHOUT: math.log1p
loss.program @ofClass(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                      %y: tensor<?x?xf64, #bc> {loss.kind = "target", loss.name = "y"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %one = arith.constant 1.0 : f64
  %ones = loss.broadcast %one : f64 to tensor<?xf64, #b>
  %0 = loss.softmax %x over "class" : tensor<?x?xf64, #bc>
  %1 = arith.mulf %y, %0 : tensor<?x?xf64, #bc>
  %2 = loss.reduce sum %1 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  %3 = arith.subf %ones, %2 : tensor<?xf64, #b>
  %4 = math.log %3 : tensor<?xf64, #b>
  loss.yield %4 : tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>

// log(max(y, exp(c))) is max(log(y), c), also where exp(c) overflows; a negative y is none.
// CHECK-LABEL: loss.program @ofMaximum
// CHECK-SAME: %[[Y:[a-z0-9]*]]: {{[^{]*}} {loss.kind = "fixed"
// CHECK-SAME: %[[C:[a-z0-9]*]]: f64
// CHECK: %[[POSITIVE:.*]] = arith.maximumf %[[Y]]
// CHECK: %[[L:.*]] = math.log %[[POSITIVE]]
// CHECK: %[[WIDE:.*]] = loss.broadcast %[[C]]
// CHECK: arith.maximumf %[[L]], %[[WIDE]]
// WITHOUT-LABEL: loss.program @ofMaximum
// WITHOUT: math.log %
loss.program @ofMaximum(%y: tensor<?x?xf64, #bc> {loss.kind = "fixed", loss.name = "y"},
                        %c: f64 {loss.kind = "param", loss.name = "c", loss.default = 1.0 : f64})
    -> (tensor<?x?xf64, #bc> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = math.exp %c : f64
  %1 = loss.broadcast %0 : f64 to tensor<?x?xf64, #bc>
  %2 = arith.maximumf %y, %1 : tensor<?x?xf64, #bc>
  %3 = math.log %2 : tensor<?x?xf64, #bc>
  loss.yield %3 : tensor<?x?xf64, #bc>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// sum(p (log p - log q)): by a series where p and q are near each other, with its own derivatives.
// CHECK-LABEL: loss.program @divergence
// CHECK-DAG: %[[P:.*]] = loss.log_softmax %arg0
// CHECK-DAG: %[[Q:.*]] = loss.log_softmax %arg1
// CHECK: arith.subf %[[Q]], %[[P]]
// CHECK: %[[BY_P:.*]] = loss.custom_gradient %{{.*}} by %[[P]] is
// CHECK: %[[BY_Q:.*]] = loss.custom_gradient %[[BY_P]] by %[[Q]] is
// CHECK: loss.reduce {{ *}}sum %[[BY_Q]]
// WITHOUT-LABEL: loss.program @divergence
// WITHOUT-NOT: loss.custom_gradient
loss.program @divergence(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                         %z: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "z"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = loss.softmax %x over "class" : tensor<?x?xf64, #bc>
  %1 = math.log %0 : tensor<?x?xf64, #bc>
  %2 = loss.log_softmax %z over "class" : tensor<?x?xf64, #bc>
  %3 = arith.subf %1, %2 : tensor<?x?xf64, #bc>
  %4 = arith.mulf %3, %0 : tensor<?x?xf64, #bc>
  %5 = loss.reduce sum %4 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %5 : tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>

// expm1(q x) / q  =  x exprel(q x), also where q is a parameter, with the derivative exp(q x) by x.
// CHECK-LABEL: loss.program @quotient
// CHECK-SAME: %[[X:[a-z0-9]*]]: {{[^{]*}} {loss.kind = "input"
// CHECK: %[[Z:.*]] = arith.mulf %{{.*}}, %[[X]]
// CHECK: %[[E:.*]] = loss.exprel %[[Z]]
// CHECK: %[[V:.*]] = arith.mulf %[[X]], %[[E]]
// CHECK: %[[SLOPE:.*]] = math.exp %[[Z]]
// CHECK: loss.custom_gradient %{{.*}} by %[[X]] is %[[SLOPE]]
// WITHOUT-LABEL: loss.program @quotient
loss.program @quotient(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                       %q: f64 {loss.kind = "param", loss.name = "q", loss.default = 0.7 : f64})
    -> (tensor<?x?xf64, #bc> {loss.result = "value"}) attributes {axes = #bc} {
  %qs = loss.broadcast %q : f64 to tensor<?x?xf64, #bc>
  %0 = arith.mulf %qs, %x : tensor<?x?xf64, #bc>
  %1 = math.expm1 %0 : tensor<?x?xf64, #bc>
  %2 = arith.divf %1, %qs : tensor<?x?xf64, #bc>
  loss.yield %2 : tensor<?x?xf64, #bc>
}
