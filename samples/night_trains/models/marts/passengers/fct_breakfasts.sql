with breakfasts as (

    select * from {{ ref('stg_booking__breakfasts') }}

),

bookings as (

    select * from {{ ref('fct_bookings') }}

),

final as (

    select
        breakfasts.breakfast_id,
        breakfasts.booking_id,
        bookings.line_code,
        bookings.service_date + 1 as served_date,
        breakfasts.dish,
        breakfasts.quantity

    from breakfasts
    inner join bookings
        on breakfasts.booking_id = bookings.booking_id

)

select * from final
