with breakfasts as (

    select * from {{ ref('fct_breakfasts') }}

),

lines as (

    select * from {{ ref('dim_lines') }}

),

final as (

    select
        lines.line_name,
        breakfasts.dish,
        sum(breakfasts.quantity) as servings,
        rank() over (partition by lines.line_name order by sum(breakfasts.quantity) desc) as favourite_rank

    from breakfasts
    inner join lines
        on breakfasts.line_code = lines.line_code
    group by lines.line_name, breakfasts.dish

)

select * from final
