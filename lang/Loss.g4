// The grammar of .loss files. docs/language.md, section 2, explains it.
//
// Every decision needs one token of lookahead, so parsing builds no prediction tables at run time:
// time and memory stay flat over thousands of programs.
grammar Loss;

file : items+=item* EOF ;

item : docs+=DOC* ( lossItem=lossDef | fnItem=fnDef ) ;

lossDef : 'loss' name=IDENT '(' ( args+=lossArg ( ',' args+=lossArg )* )? ')' body=block ;

lossArg : docs+=DOC* ( value=input | parameter=param ) ;

input : name=IDENT ':' isTarget='target'? axes=axisList ;

param : 'param' name=IDENT '=' value=expr ;

axisList : '[' ( names+=IDENT ( ',' names+=IDENT )* )? ']' ;

fnDef
  : 'fn' name=IDENT '(' ( args+=fnArg ( ',' args+=fnArg )* )? ')' ( '=' value=expr | body=block )
  ;

fnArg : name=IDENT ( ':' axes=axisList )? ;

block : '{' lets+=let* 'return' value=expr '}' ;

let : 'let' name=IDENT '=' value=expr ;

// Expressions, loosest first.

expr
  : 'if' cond=expr 'then' whenTrue=expr 'else' whenFalse=expr
  | value=orExpr
  ;

orExpr : args+=andExpr ( ops+='or' args+=andExpr )* ;

andExpr : args+=notExpr ( ops+='and' args+=notExpr )* ;

notExpr : op='not' arg=notExpr | value=compareExpr ;

// A chain is parsed, to be rejected with a hint: comparisons do not chain.
compareExpr
  : args+=addExpr ( ops+=( '<' | '<=' | '>' | '>=' | '==' | '!=' ) args+=addExpr )*
  ;

addExpr : args+=mulExpr ( ops+=( '+' | '-' ) args+=mulExpr )* ;

mulExpr : args+=unaryExpr ( ops+=( '*' | '/' ) args+=unaryExpr )* ;

unaryExpr : op='-' arg=unaryExpr | value=powerExpr ;

powerExpr : base=primary ( op='^' exponent=unaryExpr )? ;

primary
  : number=NUMBER
  | name=IDENT arguments=call?
  | '(' value=expr ')'
  ;

call : '(' ( args+=expr ( ',' args+=expr )* ( 'over' axis=IDENT )? )? ')' ;

LOSS : 'loss' ;
FN : 'fn' ;
LET : 'let' ;
RETURN : 'return' ;
PARAM : 'param' ;
TARGET : 'target' ;
OVER : 'over' ;
IF : 'if' ;
THEN : 'then' ;
ELSE : 'else' ;
AND : 'and' ;
OR : 'or' ;
NOT : 'not' ;

LPAREN : '(' ;
RPAREN : ')' ;
LBRACKET : '[' ;
RBRACKET : ']' ;
LBRACE : '{' ;
RBRACE : '}' ;
COMMA : ',' ;
COLON : ':' ;
ASSIGN : '=' ;
PLUS : '+' ;
MINUS : '-' ;
STAR : '*' ;
SLASH : '/' ;
CARET : '^' ;
LESS : '<' ;
LESS_EQUAL : '<=' ;
GREATER : '>' ;
GREATER_EQUAL : '>=' ;
EQUAL : '==' ;
NOT_EQUAL : '!=' ;

IDENT : [a-zA-Z_] [a-zA-Z_0-9]* ;
NUMBER : [0-9]+ ( '.' [0-9]+ )? ( [eE] [+-]? [0-9]+ )? ;

// Four slashes or more are a ruler, not documentation.
RULER : '////' ~[\r\n]* -> skip ;
DOC : '///' ~[\r\n]* ;
COMMENT : '//' ~[\r\n]* -> skip ;
SPACE : [ \t\r\n]+ -> skip ;

// Tokens that no rule uses: the parser reports them in its own words.
BAD_NUMBER : [0-9] [0-9a-zA-Z_.]* | '.' [0-9] [0-9a-zA-Z_.]* ;
FOREIGN : '&&' | '||' | '**' | '/*' | ';' | '!' | '%' | '#' | '&' | '|' | '?' ;
UNKNOWN : . ;
